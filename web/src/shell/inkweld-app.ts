import type WaToast from "@awesome.me/webawesome/dist/components/toast/toast.js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import { getMe, server, signInWithCode, signOut } from "../api";
import { type ApiError, asApiError } from "../errors";
import { type Notice, isOwn } from "../events";
import type { User } from "../messages";
import { type Place, addresses, go, readPlace } from "../router";
import { sentence } from "../sentences";
import { base } from "../styles";
import { ServerWatch } from "./server-watch";
import "../admin/ai-page";
import "../parts/empty-state";
import "../parts/load-error";
import "../projects/project-page";
import "../projects/projects-page";
import "../sign-in/password-form";
import "../sign-in/sign-in-page";
import "../sign-in/welcome-page";
import "./server-banner";
import "./site-header";

const LINK_ENDED = "This sign-in link has been used or has ended. Sign in with your password, or ask for a new link.";

const SESSION_ENDED = "Your session has ended. Sign in, and you are back where you were.";

/** The one-time code in the address: `/welcome#CODE` or `#code=CODE` anywhere. */
function takeCode(): string {
  const hash = location.hash.slice(1);
  const named = new URLSearchParams(hash).get("code");
  const code = named ?? (location.pathname === "/welcome" ? decodeURIComponent(hash) : "");
  // It must stay neither in the address bar nor in the history.
  if (code) history.replaceState(null, "", location.pathname + location.search);
  return code;
}

const addressOf = (place: Place): string => (place.page === "project" ? place.project : place.page);

/** The whole of it: who is here, where they are, and whether the server is. */
@customElement("inkweld-app")
export class InkweldApp extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        min-height: 100dvh;
      }
      .waiting {
        display: grid;
        place-items: center;
        min-height: 60vh;
        font-size: 2rem;
      }
      .lost {
        max-width: 40rem;
        margin: var(--wa-space-3xl) auto;
        padding-inline: var(--page-gutter);
      }
    `,
  ];

  @state() private place: Place = readPlace(location);
  /** Absent while we do not know, null when nobody is signed in. */
  @state() private user?: User | null;
  @state() private error?: ApiError;
  @state() private notice = "";
  @state() private changingPassword = false;
  @query("wa-toast") private toast!: WaToast;
  private readonly server = new ServerWatch(this, () => {
    if (this.error) void this.begin();
  });

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("popstate", () => this.move());
    server.addEventListener("signed-out", () => {
      if (this.user) this.notice = SESSION_ENDED;
      this.user = null;
    });
    this.addEventListener("notify", (event) => this.show((event as CustomEvent<Notice>).detail));
    void this.begin();
  }

  private move(): void {
    const before = this.place;
    this.place = readPlace(location);
    // What opens over a page leaves it where it is; another page begins at its top.
    if (addressOf(before) !== addressOf(this.place)) scrollTo(0, 0);
  }

  private async begin(): Promise<void> {
    const code = takeCode();
    this.error = undefined;
    try {
      if (code && (await this.enterWith(code))) return;
      this.user = await getMe();
      if (this.place.page === "welcome") go(addresses.projects, { replace: true });
    } catch (thrown) {
      const error = asApiError(thrown);
      if (error.reason === "CALLER_UNKNOWN") {
        this.user = null;
        this.notice = code ? LINK_ENDED : "";
      } else this.error = error;
    }
  }

  private async enterWith(code: string): Promise<boolean> {
    try {
      const { user } = await signInWithCode(code);
      this.user = user ?? (await getMe());
    } catch (thrown) {
      // Whoever opens a used link again may still be signed in.
      if (asApiError(thrown).reason === "CALLER_UNKNOWN") return false;
      throw thrown;
    }
    go(this.user.hasPassword ? addresses.projects : "/welcome", { replace: true });
    return true;
  }

  private async leave(): Promise<void> {
    try {
      await signOut();
    } catch (thrown) {
      const error = asApiError(thrown);
      if (error.reason !== "CALLER_UNKNOWN") return this.show({ text: sentence(error), variant: "danger" });
    }
    this.user = null;
    this.notice = "";
    go("/", { replace: true });
  }

  private show({ text, variant }: Notice): void {
    void this.toast.create(text, { variant, icon: variant === "danger" ? "warning" : "check", duration: 5000 });
  }

  private passwordSet(user: User): void {
    this.user = user;
    this.changingPassword = false;
    this.show({ text: "Password set", variant: "success" });
    if (this.place.page === "welcome") go(addresses.projects, { replace: true });
  }

  private renderPlace(user: User) {
    const place = this.place;
    const { features, reachable } = this.server;
    switch (place.page) {
      case "projects":
        return html`<projects-page></projects-page>`;
      case "project":
        return html`<project-page .place=${place} .features=${features} .reachable=${reachable} .user=${user}></project-page>`;
      case "admin":
        return user.admin
          ? html`<ai-page .profile=${place.profile} @features-changed=${this.server.ask}></ai-page>`
          : this.renderLost();
      case "welcome":
        return html`<welcome-page
          .user=${user}
          @skip=${() => go(addresses.projects, { replace: true })}
          @done=${(event: CustomEvent<User>) => this.passwordSet(event.detail)}
        ></welcome-page>`;
      case "unknown":
        return this.renderLost();
    }
  }

  private renderLost() {
    return html`<main class="lost">
      <empty-state icon="dashed-frame" heading="There is no such page">
        The link may be old, or the page may not be for you.
        <wa-button slot="next" variant="brand" href=${addresses.projects}>To Your Projects</wa-button>
      </empty-state>
    </main>`;
  }

  private renderBody() {
    if (this.error) return html`<load-error .error=${this.error} @retry=${this.begin}></load-error>`;
    if (this.user === undefined) return html`<div class="waiting"><wa-spinner></wa-spinner></div>`;
    if (this.user) return this.renderPlace(this.user);
    return html`<sign-in-page
      .notice=${this.notice}
      @signed-in=${(event: CustomEvent<User>) => {
        this.user = event.detail;
        if (this.place.page === "welcome") go(addresses.projects, { replace: true });
      }}
    ></sign-in-page>`;
  }

  override render() {
    return html`
      <site-header
        .user=${this.user ?? undefined}
        .place=${this.place}
        @sign-out=${this.leave}
        @change-password=${() => (this.changingPassword = true)}
      ></site-header>
      ${this.server.reachable
        ? nothing
        : html`<server-banner .seconds=${this.server.seconds} @retry=${this.server.ask}></server-banner>`}
      ${this.renderBody()} ${this.user ? this.renderPasswordDialog(this.user) : nothing}
      <wa-toast placement="bottom-end"></wa-toast>
    `;
  }

  private renderPasswordDialog(user: User) {
    return html`<wa-dialog
      label=${user.hasPassword ? "Change password" : "Set a password"}
      ?open=${this.changingPassword}
      @wa-hide=${(event: Event) => isOwn(event) && (this.changingPassword = false)}
    >
      ${this.changingPassword
        ? html`<password-form
            .user=${user}
            .current=${user.hasPassword ?? false}
            @skip=${() => (this.changingPassword = false)}
            @done=${(event: CustomEvent<User>) => this.passwordSet(event.detail)}
          ></password-form>`
        : nothing}
    </wa-dialog>`;
  }
}
