import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { bytes, cost, leaf, when } from "../format";
import type { Generation, Image } from "../messages";
import { base } from "../styles";

/** What is known of an image: the words it was made from, and the plain facts. */
@customElement("image-facts")
export class ImageFacts extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        display: grid;
        gap: var(--wa-space-l);
      }
      .prompt {
        font-family: var(--wa-font-family-longform);
        font-size: 1.02rem;
        line-height: 1.55;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
        max-height: 16rem;
        overflow-y: auto;
      }
      h3 {
        margin-block-end: var(--wa-space-2xs);
        color: var(--wa-color-text-quiet);
        font-family: var(--wa-font-family-body);
        font-size: var(--wa-font-size-xs);
        font-weight: var(--wa-font-weight-bold);
        letter-spacing: 0.02em;
      }
      dl {
        display: grid;
        grid-template-columns: max-content 1fr;
        gap: var(--wa-space-2xs) var(--wa-space-m);
        font-size: var(--wa-font-size-s);
      }
      dt {
        color: var(--wa-color-text-quiet);
      }
      dd {
        overflow-wrap: anywhere;
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  @property({ attribute: false }) image!: Image;
  @property({ attribute: false }) generation?: Generation;

  private facts(): [string, string | undefined][] {
    const { image, generation } = this;
    const plan = generation?.plan;
    const drawn = generation?.images?.find(({ image: name }) => name === image.name);
    const type = (image.contentType ?? "").replace("image/", "").toUpperCase();
    return [
      ["Profile", plan?.profileTitle],
      ["Model", plan?.model],
      ["Size", `${image.width} × ${image.height} pixels`],
      ["Quality", plan?.quality],
      ["Seed", drawn?.seed],
      ["File", `${type}, ${bytes(image.sizeBytes ?? 0)}`],
      [generation ? "Made" : "Uploaded", when(image.createTime)],
      ["By", leaf(image.creator)],
      ["Cost of all", cost(generation?.cost)],
    ];
  }

  private section(title: string, text: string | undefined) {
    return text ? html`<section><h3>${title}</h3><p class="prompt" data-testid="viewer-${title.toLowerCase()}">${text}</p></section>` : nothing;
  }

  override render() {
    const elements = this.generation?.elements ?? [];
    return html`
      ${this.section("Prompt", this.generation?.prompt)} ${this.section("Without", this.generation?.negativePrompt)}
      ${elements.length
        ? html`<section>
            <h3>With</h3>
            <p class="small">${elements.map(({ name, type }) => (type ? `${name} (${type})` : name)).join(", ")}</p>
          </section>`
        : nothing}
      <section>
        <h3>Facts</h3>
        <dl>
          ${this.facts().map(([name, value]) => (value ? html`<dt>${name}</dt><dd>${value}</dd>` : nothing))}
        </dl>
      </section>
    `;
  }
}
