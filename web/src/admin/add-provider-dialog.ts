import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { createProvider, newRequestId } from "../api";
import { type ApiError, asApiError } from "../errors";
import { fire, isOwn, valueOf } from "../events";
import { leaf } from "../format";
import type { Kind } from "../messages";
import { sentence } from "../sentences";
import { base } from "../styles";

const EMPTY = { kind: "", id: "", title: "", endpoint: "" };

const idOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, 63);

/** Adds a provider: a second WebUI, or a host that speaks a protocol we know. Says `done` or `cancel`. */
@customElement("add-provider-dialog")
export class AddProviderDialog extends LitElement {
  static override styles = [
    base,
    css`
      wa-dialog {
        --width: 34rem;
      }
      form {
        display: grid;
        gap: var(--wa-space-m);
      }
    `,
  ];

  @property({ type: Boolean }) open = false;
  @property({ attribute: false }) kinds: Kind[] = [];
  @state() private values = EMPTY;
  @state() private error?: ApiError;
  @state() private busy = false;

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("open") || !this.open) return;
    this.values = { ...EMPTY, kind: leaf(this.kinds[0]?.name) };
    this.error = undefined;
  }

  private change(part: Partial<typeof EMPTY>): void {
    this.values = { ...this.values, ...part };
  }

  private async submit(event?: Event): Promise<void> {
    event?.preventDefault();
    const { kind, title, endpoint } = this.values;
    this.busy = true;
    try {
      const provider = { kind, title, ...(endpoint.trim() ? { endpoint: endpoint.trim() } : {}) };
      await createProvider(this.values.id || idOf(title), provider, newRequestId());
      fire(this, "done");
    } catch (error) {
      this.error = asApiError(error);
    } finally {
      this.busy = false;
    }
  }

  private renderInput(label: string, key: "title" | "id" | "endpoint", hint: string, placeholder: string) {
    return html`<wa-input
      label=${label}
      hint=${hint}
      placeholder=${placeholder}
      autocomplete="off"
      .value=${this.values[key]}
      @input=${(event: Event) => this.change({ [key]: valueOf(event) })}
    ></wa-input>`;
  }

  override render() {
    const chosen = this.kinds.find(({ name }) => leaf(name) === this.values.kind);
    return html`<wa-dialog
      label="Add a provider"
      ?open=${this.open}
      @wa-hide=${(event: Event) => {
        if (isOwn(event) && this.open) fire(this, "cancel");
      }}
    >
      <form @submit=${this.submit}>
        ${this.error ? html`<wa-callout variant="danger" size="s" role="alert">${sentence(this.error)}</wa-callout>` : nothing}
        <wa-select label="Protocol" .value=${this.values.kind} @change=${(event: Event) => this.change({ kind: valueOf(event) })}>
          ${this.kinds.map(({ name, title }) => html`<wa-option value=${leaf(name)}>${title}</wa-option>`)}
        </wa-select>
        ${this.renderInput("Title", "title", "What it is called here.", "Workshop WebUI")}
        ${this.renderInput("Id", "id", "Lower-case letters, digits and dashes. It cannot be changed later.", idOf(this.values.title) || "workshop-webui")}
        ${this.renderInput("Endpoint", "endpoint", "Where it is.", chosen?.defaultEndpoint || "http://127.0.0.1:7860")}
      </form>
      <wa-button slot="footer" appearance="plain" @click=${() => fire(this, "cancel")}>Cancel</wa-button>
      <wa-button
        slot="footer"
        variant="brand"
        ?disabled=${!this.values.title.trim()}
        ?loading=${this.busy}
        @click=${() => this.submit()}
        >Add Provider</wa-button
      >
    </wa-dialog>`;
  }
}
