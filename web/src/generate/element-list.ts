import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { fire } from "../events";
import { base } from "../styles";
import { type DraftElement, NO_ELEMENT } from "./draft";
import { type ElementRow, ROLES } from "./element-row";

const MOST = 32;

/** The people, places and styles that come into the picture. Says `change-elements` with all of them. */
@customElement("element-list")
export class ElementList extends LitElement {
  static override styles = [
    base,
    css`
      .all {
        display: grid;
        gap: var(--wa-space-xs);
      }
      h3 {
        font-family: var(--wa-font-family-body);
        font-size: inherit;
        font-weight: var(--wa-form-control-label-font-weight);
      }
      .add {
        display: flex;
        flex-wrap: wrap;
        gap: var(--wa-space-2xs);
      }
    `,
  ];

  @property({ attribute: false }) elements: DraftElement[] = [];

  private send(elements: DraftElement[]): void {
    fire(this, "change-elements", elements);
  }

  private async add(role: DraftElement["role"]): Promise<void> {
    this.send([...this.elements, { ...NO_ELEMENT, role }]);
    await new Promise((resolve) => setTimeout(resolve));
    const rows = this.renderRoot.querySelectorAll<ElementRow>("element-row");
    const row = rows[rows.length - 1];
    await row?.updateComplete;
    row?.renderRoot.querySelector("wa-input")?.focus();
  }

  override render() {
    return html`
      <section class="all" aria-label="From your world">
        <div>
          <h3>From your world</h3>
          <p class="quiet small">Characters, places and styles that belong in the picture.</p>
        </div>
        ${this.elements.map(
          (element, at) => html`<element-row
            .element=${element}
            .number=${at + 1}
            @change-element=${({ detail }: CustomEvent<DraftElement>) => this.send(this.elements.with(at, detail))}
            @remove=${() => this.send(this.elements.toSpliced(at, 1))}
          ></element-row>`,
        )}
        ${this.elements.length < MOST
          ? html`<div class="add">
              ${ROLES.map(
                ({ role, name, icon }) => html`<wa-button
                  size="s"
                  appearance="outlined"
                  data-testid="add-element-${role.toLowerCase()}"
                  @click=${() => this.add(role)}
                >
                  <wa-icon slot="start" name=${icon}></wa-icon><span class="visually-hidden">Add </span>${name}
                </wa-button>`,
              )}
            </div>`
          : nothing}
      </section>
    `;
  }
}
