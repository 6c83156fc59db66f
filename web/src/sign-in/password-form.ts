import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { setPassword } from "../api";
import { asApiError } from "../errors";
import { fire, valueOf } from "../events";
import type { User } from "../messages";
import { sentence } from "../sentences";
import { base } from "../styles";

/** Sets or changes a password; says `done` with the user, or `skip`. */
@customElement("password-form")
export class PasswordForm extends LitElement {
  static override styles = [
    base,
    css`
      form {
        display: grid;
        gap: var(--wa-space-m);
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        justify-content: flex-end;
        gap: var(--wa-space-s);
      }
    `,
  ];

  @property({ attribute: false }) user!: User;
  /** What the button says that leaves the password as it is. */
  @property() skip = "Cancel";
  /** Whether the password that is has to be given; not in a session begun with a link. */
  @property({ type: Boolean }) current = false;
  @state() private password = "";
  @state() private old = "";
  @state() private error = "";
  @state() private busy = false;

  private async submit(event: Event): Promise<void> {
    event.preventDefault();
    if (this.password.length < 10) {
      this.error = "A password has at least 10 characters.";
      return;
    }
    this.busy = true;
    try {
      fire(this, "done", await setPassword(this.user.name ?? "", this.password, this.old));
    } catch (thrown) {
      const error = asApiError(thrown);
      this.error = error.reason === "CALLER_UNKNOWN" ? "The current password is not right." : sentence(error);
    } finally {
      this.busy = false;
    }
  }

  override render() {
    return html`
      <form @submit=${this.submit}>
        ${this.error ? html`<wa-callout variant="danger" size="s" role="alert">${this.error}</wa-callout>` : nothing}
        ${this.current
          ? html`<wa-input
              label="Current password"
              type="password"
              autocomplete="current-password"
              required
              .value=${this.old}
              @input=${(event: Event) => (this.old = valueOf(event))}
            ></wa-input>`
          : nothing}
        <wa-input
          label="New password"
          hint="At least 10 characters. A few words you will remember are best."
          type="password"
          data-testid="new-password"
          autocomplete="new-password"
          password-toggle
          required
          .value=${this.password}
          @input=${(event: Event) => (this.password = valueOf(event))}
        ></wa-input>
        <div class="actions">
          <wa-button appearance="plain" data-testid="skip-password" @click=${() => fire(this, "skip")}>${this.skip}</wa-button>
          <wa-button type="submit" variant="brand" data-testid="set-password" ?loading=${this.busy}>Set Password</wa-button>
        </div>
      </form>
    `;
  }
}
