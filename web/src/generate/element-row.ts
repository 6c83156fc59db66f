import { LitElement, css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { checkedOf, fire, valueOf } from "../events";
import type { Role } from "../messages";
import { base } from "../styles";
import type { DraftElement } from "./draft";

type Choice = { role: Role; name: string; icon: string; hint: string; examples: [string, string, string, string, string] };

const MOST_TOLD = 4000;

/** The roles; their examples are of a name, a kind, its part in the picture, its looks, and what is known of it. */
export const ROLES: Choice[] = [
  {
    role: "SUBJECT",
    name: "Subject",
    icon: "person",
    hint: "who or what the picture shows",
    examples: ["Tamsin Vale", "character", "stands left of centre, facing us", "weathered, with a crooked smile", "age: 41\ncoat: oilskin, brass buttons"],
  },
  {
    role: "SETTING",
    name: "Setting",
    icon: "place",
    hint: "where it happens",
    examples: ["Low Quay", "place", "seen from the water", "tarred sheds, nets drying, gulls", "lighting: paper lanterns"],
  },
  {
    role: "STYLE",
    name: "Style",
    icon: "brush",
    hint: "how it should look",
    examples: ["Woodcut", "style", "for the whole picture", "thick black lines, no shading", "palette: black and ochre"],
  },
  {
    role: "REFERENCE",
    name: "Reference",
    icon: "link",
    hint: "something to go by",
    examples: ["The drowned bell", "object", "half hidden in the fog", "as tall as a man, a crack down one side", "material: green bronze"],
  },
];

/** One element of the writer's world. Says `change-element` with what it became, and `remove`. */
@customElement("element-row")
export class ElementRow extends LitElement {
  static override styles = [
    base,
    css`
      .box {
        display: grid;
        gap: var(--wa-space-s);
        padding: var(--wa-space-s);
        background: var(--wa-color-surface-lowered);
        border-radius: var(--wa-border-radius-m);
      }
      .line {
        display: grid;
        grid-template-columns: 9.5rem minmax(0, 1fr) minmax(0, 0.7fr) auto;
        gap: var(--wa-space-xs);
        align-items: end;
      }
      .told {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: var(--wa-space-s);
      }
      .told > div {
        display: grid;
        gap: var(--wa-space-2xs);
        align-content: start;
      }
      @media (max-width: 40rem) {
        .line {
          grid-template-columns: 1fr auto;
        }
        .line > :nth-child(2),
        .line > :nth-child(3) {
          grid-column: 1 / -1;
          grid-row: auto;
        }
        .told {
          grid-template-columns: 1fr;
        }
        .line > wa-button {
          grid-column: 2;
          grid-row: 1;
        }
      }
    `,
  ];

  @property({ attribute: false }) element!: DraftElement;
  @property({ type: Number }) number = 1;

  private change(part: Partial<DraftElement>): void {
    fire(this, "change-element", { ...this.element, ...part });
  }

  private field(label: string, key: "name" | "type" | "roleDescription", placeholder: string, max: number) {
    return html`<wa-input
      size="s"
      label=${label}
      placeholder=${placeholder}
      maxlength=${max}
      .value=${this.element[key]}
      @input=${(event: Event) => this.change({ [key]: valueOf(event) })}
    ></wa-input>`;
  }

  private told(
    label: string,
    key: "description" | "facts",
    send: "sendDescription" | "sendData",
    what: string,
    example: string,
  ) {
    return html`<div>
      <wa-textarea
        size="s"
        label=${label}
        rows="2"
        resize="auto"
        maxlength=${MOST_TOLD}
        placeholder=${example}
        .value=${this.element[key]}
        @input=${(event: Event) => this.change({ [key]: valueOf(event) })}
      ></wa-textarea>
      <wa-switch
        size="s"
        data-testid="element-${key}-switch"
        .checked=${this.element[send]}
        @change=${(event: Event) => this.change({ [send]: checkedOf(event) })}
        >${what}<span class="visually-hidden"> ${label.toLowerCase()}</span></wa-switch
      >
    </div>`;
  }

  override render() {
    const chosen = ROLES.find(({ role }) => role === this.element.role);
    const [name = "", kind = "", part = "", looks = "", known = ""] = chosen?.examples ?? [];
    return html`
      <div class="box" role="group" aria-label="Element ${this.number}" data-testid="element-row">
        <div class="line">
          <wa-select
            size="s"
            label="Role"
            .value=${this.element.role}
            @change=${(event: Event) => this.change({ role: valueOf(event) as Role })}
          >
            <wa-icon slot="start" name=${chosen?.icon ?? ""}></wa-icon>
            ${ROLES.map((choice) => html`<wa-option value=${choice.role}>${choice.name}</wa-option>`)}
          </wa-select>
          ${this.field("Name", "name", name, 200)} ${this.field("Kind", "type", kind, 100)}
          <wa-button size="s" appearance="plain" @click=${() => fire(this, "remove")}>
            <wa-icon name="trash" label="Remove element ${this.number}"></wa-icon>
          </wa-button>
        </div>
        ${this.field(`In this picture: ${chosen?.hint}`, "roleDescription", part, 2000)}
        <div class="told">
          ${this.told("What it looks like", "description", "sendDescription", "Send", looks)}
          ${this.told("What is known, a line each", "facts", "sendData", "Send what can be seen", known)}
        </div>
      </div>
    `;
  }
}
