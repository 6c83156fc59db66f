import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { asApiError } from "../errors";
import { fire, isOwn, valueOf } from "../events";
import { sentence } from "../sentences";
import { base } from "../styles";

/** One value to ask for, and what to do with it. */
export type Asked = {
  title: string;
  label: string;
  hint: string;
  value: string;
  secret: boolean;
  save: (value: string) => Promise<void>;
};

/** Asks for one value and stays until it is saved. Says `close`. */
@customElement("value-dialog")
export class ValueDialog extends LitElement {
  static override styles = [
    base,
    css`
      wa-dialog {
        --width: 32rem;
      }
      form {
        display: grid;
        gap: var(--wa-space-m);
      }
    `,
  ];

  /** Absent when closed. */
  @property({ attribute: false }) asked?: Asked;
  @state() private value = "";
  @state() private error = "";
  @state() private busy = false;

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("asked")) return;
    this.value = this.asked?.value ?? "";
    this.error = "";
  }

  private async submit(event?: Event): Promise<void> {
    event?.preventDefault();
    if (!this.asked || !this.value.trim() || this.busy) return;
    this.busy = true;
    try {
      await this.asked.save(this.value.trim());
      fire(this, "close");
    } catch (error) {
      this.error = sentence(asApiError(error));
    } finally {
      this.busy = false;
    }
  }

  private renderForm({ label, hint, secret }: Asked) {
    return html`<form @submit=${this.submit}>
      ${this.error ? html`<wa-callout variant="danger" size="s" role="alert">${this.error}</wa-callout>` : nothing}
      <wa-input
        label=${label}
        hint=${hint}
        type=${secret ? "password" : "text"}
        ?password-toggle=${secret}
        autocomplete="off"
        autocapitalize="none"
        spellcheck="false"
        data-testid="value-input"
        autofocus
        .value=${this.value}
        @input=${(event: Event) => (this.value = valueOf(event))}
      ></wa-input>
    </form>`;
  }

  override render() {
    return html`<wa-dialog
      label=${this.asked?.title ?? ""}
      ?open=${!!this.asked}
      @wa-hide=${(event: Event) => {
        if (isOwn(event) && this.asked) fire(this, "close");
      }}
    >
      ${this.asked ? this.renderForm(this.asked) : nothing}
      <wa-button slot="footer" appearance="plain" @click=${() => fire(this, "close")}>Cancel</wa-button>
      <wa-button
        slot="footer"
        variant="brand"
        data-testid="value-save"
        ?disabled=${!this.value.trim()}
        ?loading=${this.busy}
        @click=${() => this.submit()}
        >Save</wa-button
      >
    </wa-dialog>`;
  }
}
