import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Source } from "../messages";
import { base } from "../styles";

const WORDS: Record<Source, string> = {
  SOURCE_UNSPECIFIED: "",
  DATABASE: "set here",
  ENVIRONMENT: "from the environment",
  DEFAULT: "default",
};

/** Where a value comes from. */
@customElement("source-tag")
export class SourceTag extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        display: inline-block;
      }
      span {
        padding: 0.1em 0.55em;
        border: 1px solid var(--wa-color-surface-border);
        border-radius: 1em;
        color: var(--wa-color-text-quiet);
        font-size: var(--wa-font-size-2xs);
        white-space: nowrap;
      }
    `,
  ];

  @property() source: Source = "SOURCE_UNSPECIFIED";

  override render() {
    return WORDS[this.source] ? html`<span>${WORDS[this.source]}</span>` : nothing;
  }
}
