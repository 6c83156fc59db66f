import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { fire } from "../events";
import { leaf } from "../format";
import type { User } from "../messages";
import { addresses, go } from "../router";
import { base } from "../styles";

/** Who is signed in, and what they can do about it. */
@customElement("user-menu")
export class UserMenu extends LitElement {
  static override styles = [
    base,
    css`
      .initial {
        display: grid;
        place-items: center;
        width: 1.85rem;
        height: 1.85rem;
        border-radius: 50%;
        background: var(--wa-color-brand-fill-normal);
        color: var(--wa-color-brand-on-normal);
        font-size: var(--wa-font-size-s);
        font-weight: var(--wa-font-weight-bold);
        text-transform: uppercase;
      }
      .who {
        padding: var(--wa-space-xs) var(--wa-space-s) var(--wa-space-s);
        border-block-end: 1px solid var(--wa-color-surface-border);
        margin-block-end: var(--wa-space-2xs);
        line-height: 1.35;
      }
    `,
  ];

  @property({ attribute: false }) user!: User;

  private choose(event: CustomEvent<{ item: { value: string } }>): void {
    const value = event.detail.item.value;
    if (value === "projects") go(addresses.projects);
    else if (value === "admin") go(addresses.admin);
    else fire(this, value);
  }

  override render() {
    const id = leaf(this.user.name);
    const title = this.user.title || id;
    return html`
      <wa-dropdown placement="bottom-end" @wa-select=${this.choose}>
        <wa-button slot="trigger" appearance="plain" size="s" data-testid="user-menu-button" title="User menu">
          <span class="initial" aria-hidden="true">${title.slice(0, 1)}</span>
          <span class="visually-hidden">User menu of ${title}</span>
        </wa-button>
        <div class="who"><strong>${title}</strong><br /><span class="quiet small">${id}</span></div>
        <wa-dropdown-item value="projects"><wa-icon slot="icon" name="book"></wa-icon>Projects</wa-dropdown-item>
        ${this.user.admin
          ? html`<wa-dropdown-item value="admin" data-testid="admin-menu-link"
              ><wa-icon slot="icon" name="settings"></wa-icon>AI Image Generation</wa-dropdown-item
            >`
          : nothing}
        <wa-dropdown-item value="change-password"
          ><wa-icon slot="icon" name="key"></wa-icon>${this.user.hasPassword ? "Change" : "Set"} password</wa-dropdown-item
        >
        <wa-dropdown-item value="sign-out" data-testid="sign-out-button"
          ><wa-icon slot="icon" name="sign-out"></wa-icon>Sign Out</wa-dropdown-item
        >
      </wa-dropdown>
    `;
  }
}
