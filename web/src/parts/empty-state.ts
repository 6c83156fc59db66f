import { LitElement, css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { base } from "../styles";

/** What stands where nothing is yet: a picture, a sentence, and the next thing to do. */
@customElement("empty-state")
export class EmptyState extends LitElement {
  static override styles = [
    base,
    css`
      .box {
        display: grid;
        justify-items: center;
        gap: var(--wa-space-xs);
        padding: clamp(2.5rem, 8vw, 5rem) var(--wa-space-l);
        text-align: center;
        border: 1px dashed var(--wa-color-neutral-border-normal);
        border-radius: var(--wa-border-radius-l);
      }
      .plate {
        display: grid;
        place-items: center;
        width: 4.5rem;
        height: 4.5rem;
        margin-block-end: var(--wa-space-s);
        border-radius: 50%;
        background: var(--wa-color-brand-fill-quiet);
        color: var(--wa-color-brand-on-quiet);
        font-size: 2rem;
      }
      p {
        max-width: 30rem;
      }
      .next {
        display: flex;
        flex-wrap: wrap;
        justify-content: center;
        gap: var(--wa-space-s);
        margin-block-start: var(--wa-space-m);
      }
    `,
  ];

  @property() icon = "image";
  @property() heading = "";

  override render() {
    return html`
      <div class="box">
        <div class="plate"><wa-icon name=${this.icon}></wa-icon></div>
        <h2>${this.heading}</h2>
        <p class="quiet"><slot></slot></p>
        <div class="next"><slot name="next"></slot></div>
      </div>
    `;
  }
}
