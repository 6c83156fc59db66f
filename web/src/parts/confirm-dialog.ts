import { LitElement, css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { isOwn } from "../events";
import { base } from "../styles";

export type Question = { title: string; text: string; action: string; danger?: boolean };

/** Asks before something that cannot be undone. Use `confirm`. */
@customElement("confirm-dialog")
export class ConfirmDialog extends LitElement {
  static override styles = [
    base,
    css`
      wa-dialog {
        --width: 28rem;
      }
    `,
  ];

  @property({ attribute: false }) question!: Question;
  @state() private open = true;
  private answer = false;

  private close(answer: boolean): void {
    this.answer = answer;
    this.open = false;
  }

  override render() {
    const { title, text, action, danger } = this.question;
    return html`
      <wa-dialog
        data-testid="confirmation-dialog"
        label=${title}
        ?open=${this.open}
        @wa-hide=${(event: Event) => isOwn(event) && (this.open = false)}
        @wa-after-hide=${(event: Event) => {
          if (isOwn(event)) this.dispatchEvent(new CustomEvent("answer", { detail: this.answer }));
        }}
      >
        <p>${text}</p>
        <wa-button slot="footer" appearance="plain" @click=${() => this.close(false)}>Cancel</wa-button>
        <wa-button
          slot="footer"
          data-testid=${danger ? "confirm-delete-button" : "confirm-button"}
          variant=${danger ? "danger" : "brand"}
          @click=${() => this.close(true)}
          >${action}</wa-button
        >
      </wa-dialog>
    `;
  }
}

/** Asks, and answers whether the person wants it. Focus returns to where it was. */
export function confirm(question: Question): Promise<boolean> {
  const dialog = Object.assign(document.createElement("confirm-dialog"), { question });
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("answer", (event) => {
      dialog.remove();
      resolve((event as CustomEvent<boolean>).detail);
    });
  });
}
