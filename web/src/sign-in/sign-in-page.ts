import { LitElement, css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { signIn } from "../api";
import { asApiError } from "../errors";
import { fire, valueOf } from "../events";
import { sentence } from "../sentences";
import { base, sheet } from "../styles";

/** The door: name and password. */
@customElement("sign-in-page")
export class SignInPage extends LitElement {
  static override styles = [
    base,
    sheet,
    css`
      main {
        display: grid;
        justify-items: center;
        padding: clamp(2rem, 10vh, 7rem) var(--page-gutter) var(--wa-space-3xl);
      }
      .sheet {
        display: grid;
        gap: var(--wa-space-l);
        width: min(25rem, 100%);
        padding: clamp(1.5rem, 6vw, 2.5rem);
        box-shadow: 0 1.5rem 3rem -1.75rem var(--wa-color-shadow);
      }
      .mark {
        width: 3rem;
        height: 3rem;
        margin-block-end: var(--wa-space-m);
      }
      form {
        display: grid;
        gap: var(--wa-space-m);
      }
      h1 + p {
        margin-block-start: var(--wa-space-2xs);
      }
    `,
  ];

  /** What to say before anything was tried, such as that a link has ended. */
  @property() notice = "";
  @state() private user = "";
  @state() private password = "";
  @state() private busy = false;
  @state() private error = "";
  @query("wa-input[type=password]") private passwordBox!: HTMLElement;

  private async submit(event: Event): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    this.error = "";
    try {
      const session = await signIn(this.user.trim(), this.password);
      fire(this, "signed-in", session.user);
    } catch (thrown) {
      const error = asApiError(thrown);
      this.error = error.reason === "CALLER_UNKNOWN" ? "That name and password do not match." : sentence(error);
      this.password = "";
      this.passwordBox.focus();
    } finally {
      this.busy = false;
    }
  }

  override render() {
    return html`
      <main>
        <div class="sheet">
          <div>
            <img class="mark" src="/mark.svg" alt="" />
            <h1>Welcome back</h1>
            <p class="quiet">Sign in to the pictures of your worlds.</p>
          </div>
          ${this.notice && !this.error
            ? html`<wa-callout variant="warning" size="s" role="status"
                ><wa-icon slot="icon" name="info"></wa-icon>${this.notice}</wa-callout
              >`
            : nothing}
          ${this.error
            ? html`<wa-callout variant="danger" size="s" role="alert" data-testid="sign-in-error"
                ><wa-icon slot="icon" name="warning"></wa-icon>${this.error}</wa-callout
              >`
            : nothing}
          <form @submit=${this.submit}>
            <wa-input
              label="Name"
              name="username"
              data-testid="sign-in-name"
              autocomplete="username"
              autocapitalize="none"
              autofocus
              required
              .value=${this.user}
              @input=${(event: Event) => (this.user = valueOf(event))}
            ></wa-input>
            <wa-input
              label="Password"
              name="password"
              type="password"
              data-testid="sign-in-password"
              autocomplete="current-password"
              password-toggle
              required
              .value=${this.password}
              @input=${(event: Event) => (this.password = valueOf(event))}
            ></wa-input>
            <wa-button type="submit" variant="brand" data-testid="sign-in-button" ?loading=${this.busy}>Sign In</wa-button>
          </form>
        </div>
      </main>
    `;
  }
}
