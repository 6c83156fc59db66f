import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { User } from "../messages";
import { addresses, type Place } from "../router";
import { base } from "../styles";
import "./theme-button";
import "./user-menu";

/** The top of every page: where one is, and who. */
@customElement("site-header")
export class SiteHeader extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        position: sticky;
        top: 0;
        z-index: 10;
        background: color-mix(in oklab, var(--wa-color-surface-default) 88%, transparent);
        backdrop-filter: blur(10px);
        border-block-end: 1px solid var(--wa-color-surface-border);
      }
      header {
        display: flex;
        align-items: center;
        gap: var(--wa-space-l);
        max-width: var(--page-width);
        height: 3.75rem;
        margin-inline: auto;
        padding-inline: var(--page-gutter);
      }
      .mark {
        display: flex;
        align-items: center;
        gap: var(--wa-space-xs);
        color: inherit;
        font-family: var(--wa-font-family-heading);
        font-size: 1.15rem;
        letter-spacing: -0.01em;
        text-decoration: none;
        white-space: nowrap;
      }
      .mark img {
        width: 1.75rem;
        height: 1.75rem;
      }
      .mark span span {
        color: var(--wa-color-text-quiet);
      }
      nav {
        display: flex;
        gap: var(--wa-space-2xs);
        height: 100%;
        flex: 1;
      }
      nav a {
        display: flex;
        align-items: center;
        padding-inline: var(--wa-space-s);
        color: var(--wa-color-text-quiet);
        font-size: var(--wa-font-size-s);
        font-weight: var(--wa-font-weight-semibold);
        text-decoration: none;
        box-shadow: inset 0 -2px transparent;
      }
      nav a:hover {
        color: var(--wa-color-text-normal);
      }
      nav a[aria-current] {
        color: var(--wa-color-text-normal);
        box-shadow: inset 0 -2px var(--wa-color-brand-fill-loud);
      }
      .tools {
        display: flex;
        align-items: center;
        margin-inline-end: calc(var(--wa-space-s) * -1);
      }
      @media (max-width: 40rem) {
        nav a {
          display: none;
        }
      }
    `,
  ];

  @property({ attribute: false }) user?: User;
  @property({ attribute: false }) place!: Place;

  private link(to: string, text: string, current: boolean, testid: string) {
    return html`<a href=${to} data-testid=${testid} aria-current=${current ? "page" : nothing}>${text}</a>`;
  }

  override render() {
    const page = this.place.page;
    return html`
      <header>
        <a class="mark" href=${addresses.projects}>
          <img src="/mark.svg" alt="" /><span>Inkweld <span>Images</span></span>
        </a>
        <nav aria-label="Main">
          ${this.user
            ? html`${this.link(addresses.projects, "Projects", page === "projects" || page === "project", "nav-projects")}
              ${this.user.admin ? this.link(addresses.admin, "AI Image Generation", page === "admin", "admin-nav-ai") : nothing}`
            : nothing}
        </nav>
        <div class="tools">
          <theme-button></theme-button>
          ${this.user ? html`<user-menu .user=${this.user}></user-menu>` : nothing}
        </div>
      </header>
    `;
  }
}
