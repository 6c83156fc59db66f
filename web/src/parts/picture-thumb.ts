import { LitElement, css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { imageAddress, type Rendition } from "../api";
import { base } from "../styles";

const RETRY_MS = 2000;

/** An image's small copy, faded in when it is there; it fills the box it is given. */
@customElement("picture-thumb")
export class PictureThumb extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        position: relative;
        overflow: hidden;
        background: var(--plate);
      }
      img {
        display: block;
        width: 100%;
        height: 100%;
        object-fit: cover;
        opacity: 0;
        transition: opacity var(--wa-transition-slow);
      }
      img.there {
        opacity: 1;
      }
      .missing {
        position: absolute;
        inset: 0;
        display: grid;
        place-items: center;
        color: var(--wa-color-text-quiet);
        font-size: 1.5rem;
      }
    `,
  ];

  /** The image, `projects/{project}/images/{image}`. */
  @property() name = "";
  /** Its hash, where it is known: the copy is then fetched once. */
  @property() sha256 = "";
  @property() alt = "";
  /** How wide it will be, as the `sizes` of an `img`, so that the browser can choose the copy. */
  @property() sizes = "20rem";
  @state() private there = false;
  @state() private missing = false;
  private retried = false;

  /** A copy that could not be made at once is asked for once more. */
  private retry(): void {
    if (this.retried) {
      this.missing = true;
      return;
    }
    this.retried = true;
    setTimeout(() => {
      const img = this.renderRoot.querySelector("img");
      if (img) img.srcset = img.srcset; // Assigning it makes the browser fetch again.
    }, RETRY_MS);
  }

  private address(rendition: Rendition): string {
    return imageAddress(this.name, rendition, this.sha256);
  }

  override render() {
    if (this.missing) {
      return html`<span class="missing" role="img" aria-label=${this.alt}><wa-icon name="image"></wa-icon></span>`;
    }
    return html`<img
      class=${this.there ? "there" : ""}
      src=${this.address("W256")}
      srcset="${this.address("W256")} 256w, ${this.address("W1024")} 1024w"
      sizes=${this.sizes}
      alt=${this.alt}
      loading="lazy"
      decoding="async"
      draggable="false"
      @load=${() => (this.there = true)}
      @error=${this.retry}
    />`;
  }
}
