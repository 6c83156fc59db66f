import { LitElement, css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { leaf } from "../format";
import type { Image } from "../messages";
import { addresses } from "../router";
import { base } from "../styles";
import "../parts/picture-thumb";

/** The library: rows of pictures, each as wide as its shape asks for. */
@customElement("image-grid")
export class ImageGrid extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        --row-height: 15rem;
      }
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: var(--wa-space-s);
      }
      ul::after {
        content: "";
        flex: 1000 1 0;
      }
      li {
        flex: var(--ratio) 1 calc(var(--ratio) * var(--row-height));
        aspect-ratio: var(--ratio);
        max-width: 100%;
      }
      a {
        position: relative;
        display: block;
        height: 100%;
        overflow: hidden;
        border-radius: var(--wa-border-radius-m);
        box-shadow: 0 0 0 1px var(--wa-color-surface-border);
      }
      picture-thumb {
        height: 100%;
        transition: scale var(--wa-transition-slow);
      }
      .caption {
        position: absolute;
        inset: auto 0 0;
        padding: 2.5rem var(--wa-space-s) var(--wa-space-s);
        background: linear-gradient(transparent, rgb(0 0 0 / 72%));
        color: white;
        font-size: var(--wa-font-size-s);
        line-height: 1.35;
        opacity: 0;
        transition: opacity var(--wa-transition-normal);
      }
      .caption span {
        display: -webkit-box;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 2;
        overflow: hidden;
      }
      a:hover .caption,
      a:focus-visible .caption {
        opacity: 1;
      }
      a:hover picture-thumb {
        scale: 1.015;
      }
      @media (max-width: 40rem) {
        :host {
          --row-height: 9rem;
        }
        ul {
          gap: var(--wa-space-xs);
        }
      }
    `,
  ];

  @property({ attribute: false }) images: Image[] = [];
  /** The prompts of generations, by their name. */
  @property({ attribute: false }) prompts: ReadonlyMap<string, string> = new Map();
  @property() project = "";

  private describe(image: Image): string {
    return this.prompts.get(image.generation ?? "") || image.title || "Uploaded picture";
  }

  private ratio(image: Image): number {
    return Math.min(2.2, Math.max(0.56, (image.width || 1) / (image.height || 1)));
  }

  override render() {
    return html`
      <ul data-testid="media-grid" aria-label="Images">
        ${repeat(
          this.images,
          (image) => image.name,
          (image) => html`
            <li .style=${`--ratio: ${this.ratio(image).toFixed(4)}`}>
              <a data-testid="media-item-card" href=${addresses.media(this.project, { image: leaf(image.name) })}>
                <picture-thumb
                  .name=${image.name ?? ""}
                  .sha256=${image.sha256 ?? ""}
                  alt=${this.describe(image)}
                  sizes="24rem"
                ></picture-thumb>
                <span class="caption" aria-hidden="true"><span>${image.title || this.describe(image)}</span></span>
              </a>
            </li>
          `,
        )}
      </ul>
    `;
  }
}
