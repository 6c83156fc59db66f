import { LitElement, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { checkProvider, deleteProvider, deleteProviderKey, setProviderKey, updateProvider } from "../api";
import { ApiError, asApiError } from "../errors";
import { checkedOf, fire, notify } from "../events";
import { ago, leaf, when } from "../format";
import type { Kind, Provider, ProviderCheck, ProviderHealth } from "../messages";
import { confirm } from "../parts/confirm-dialog";
import { sentence, setback } from "../sentences";
import { base, sheet } from "../styles";
import { providerCardStyles } from "./provider-card.styles";
import "./source-tag";
import type { Asked } from "./value-dialog";
import "./value-dialog";

const STATES = {
  STATE_UNSPECIFIED: { words: "Unknown", variant: "neutral" },
  READY: { words: "Ready", variant: "success" },
  DISABLED: { words: "Off", variant: "neutral" },
  INCOMPLETE: { words: "Not complete", variant: "warning" },
} as const;

// Incomplete, and nobody wants to use it.
const NOT_SET_UP = { words: "Not set up", variant: "neutral" } as const;

const NEEDS: Record<string, string> = { key: "a key", endpoint: "an endpoint", account_id: "an account id" };

/** One provider: whether it works, and all that can be set. Says `changed`. */
@customElement("provider-card")
export class ProviderCard extends LitElement {
  static override styles = [base, sheet, providerCardStyles];

  @property({ attribute: false }) provider!: Provider;
  @property({ attribute: false }) kind?: Kind;
  /** Whether the kinds are loaded, so that an absent one means something. */
  @property({ type: Boolean }) kindsKnown = false;
  /** How it last did; nothing when nobody knows. */
  @property({ attribute: false }) health?: ProviderHealth;
  @state() private asked?: Asked;
  @state() private checked?: Pick<ProviderCheck, "ok" | "reason" | "message" | "advice" | "latency">;
  @state() private isChecking = false;

  override willUpdate(changed: Map<string, unknown>): void {
    const before = changed.get("provider") as Provider | undefined;
    // What was found of other settings says nothing of these.
    if (before && before.etag !== this.provider.etag) this.checked = undefined;
  }

  private async check(): Promise<void> {
    this.isChecking = true;
    this.checked = undefined;
    try {
      this.checked = await checkProvider(this.provider.name ?? "");
      fire(this, "checked");
    } catch (error) {
      this.checked = { ok: false, message: sentence(asApiError(error)) };
    } finally {
      this.isChecking = false;
    }
  }

  private async store(change: () => Promise<unknown>, words: string): Promise<void> {
    try {
      await change();
      notify(this, words);
    } catch (error) {
      notify(this, sentence(asApiError(error)), "danger");
      this.requestUpdate();
    }
    fire(this, "changed");
  }

  private get label(): string {
    return this.provider.title || leaf(this.provider.name);
  }

  private askKey(): void {
    const name = this.provider.name ?? "";
    this.asked = {
      title: `${this.provider.key ? "Replace" : "Set"} key of ${this.label}`,
      label: "Key",
      hint: "It is sealed at once. Nobody can read it again, you neither.",
      value: "",
      secret: true,
      save: async (value) => {
        if (/^\*+$/.test(value)) throw new ApiError("FIELD_INVALID", "", {}, { key: "these are asterisks. Paste the key itself." });
        await setProviderKey(name, value);
        notify(this, "Key stored");
        fire(this, "changed");
      },
    };
  }

  private ask(field: "endpoint" | "accountId", what: string, hint: string): void {
    const { name, etag } = this.provider;
    this.asked = {
      title: `${what} of ${this.label}`,
      label: what,
      hint,
      value: this.provider[field] ?? "",
      secret: false,
      save: async (value) => {
        await updateProvider({ name, etag, [field]: value }, field);
        notify(this, `${what} saved`);
        fire(this, "changed");
      },
    };
  }

  private async deleteKey(): Promise<void> {
    const sure = await confirm({
      title: `Delete the key of ${this.label}?`,
      text: "It stops working everywhere at once. A key in the server's environment takes its place where there is one.",
      action: "Delete Key",
      danger: true,
    });
    if (sure) await this.store(() => deleteProviderKey(this.provider.name ?? ""), "Key deleted");
  }

  private async delete(): Promise<void> {
    const sure = await confirm({
      title: `Delete ${this.label}?`,
      text: "The provider and its key go. Profiles that use it have to go first.",
      action: "Delete Provider",
      danger: true,
    });
    if (sure) await this.store(() => deleteProvider(this.provider.name ?? ""), "Provider deleted");
  }

  private source(...names: string[]) {
    const source = names.map((name) => this.provider.sources?.[name]).find(Boolean);
    return source ? html`<source-tag .source=${source}></source-tag>` : nothing;
  }

  private renderKey() {
    const { key, sources } = this.provider;
    if (!key && !this.kind?.requires?.includes("key") && this.kind) return this.renderNoKey("Optional");
    if (!key) return this.renderNoKey("Not configured");
    const who = key.setTime ? `${ago(key.setTime)}${key.setter ? ` by ${leaf(key.setter)}` : ""}` : "";
    return html`
      <dd data-testid="ai-provider-key-configured">
        <code aria-label="Key ending in ${key.lastFour || "hidden"}">${key.mask || "********"}${key.lastFour}</code>
        ${this.source("key")} ${who ? html`<span class="quiet small">${who}</span>` : nothing}
      </dd>
      <dd class="do">
        <wa-button size="s" appearance="plain" data-testid="replace-key-button" @click=${this.askKey}>Replace</wa-button>
        ${sources?.["key"] === "DATABASE"
          ? html`<wa-button size="s" appearance="plain" variant="danger" data-testid="delete-key-button" @click=${this.deleteKey}>
              <wa-icon name="trash" label="Delete key"></wa-icon>
            </wa-button>`
          : nothing}
      </dd>
    `;
  }

  private renderNoKey(words: string) {
    return html`
      <dd class="quiet" data-testid="ai-provider-key-not-configured">${words}</dd>
      <dd class="do"><wa-button size="s" appearance="outlined" data-testid="set-key-button" @click=${this.askKey}>Set Key</wa-button></dd>
    `;
  }

  private renderValue(label: string, field: "endpoint" | "accountId", hint: string) {
    const value = this.provider[field];
    const snake = field === "accountId" ? "account_id" : field;
    return html`
      <dt>${label}</dt>
      <dd>${value ? html`<span class="value">${value}</span> ${this.source(snake, field)}` : html`<span class="quiet">Not configured</span>`}</dd>
      <dd class="do">
        <wa-button size="s" appearance="plain" data-testid="edit-${snake.replace("_", "-")}-button" @click=${() => this.ask(field, label, hint)}>
          <wa-icon name="pencil" label="Change ${label.toLowerCase()}"></wa-icon>
        </wa-button>
        ${(this.provider.sources?.[snake] ?? this.provider.sources?.[field]) === "DATABASE"
          ? html`<wa-button
              size="s"
              appearance="plain"
              @click=${() => this.store(() => updateProvider({ name: this.provider.name, etag: this.provider.etag }, field), `${label} reset`)}
            >
              <wa-icon name="refresh" label="Back to what it was before ${label.toLowerCase()} was set here"></wa-icon>
            </wa-button>`
          : nothing}
      </dd>
    `;
  }

  private renderHealth() {
    if (!this.health || this.checked) return nothing;
    const { ok, reason, observeTime, successTime } = this.health;
    if (ok) return html`<p class="health small" title=${when(observeTime)}>Worked ${ago(observeTime)}</p>`;
    return html`<p class="health small missing" title=${when(observeTime)}>
      ${setback(reason)} ${ago(observeTime)}${successTime ? `; last worked ${ago(successTime)}` : ""}
    </p>`;
  }

  private renderChecked() {
    if (this.isChecking) return html`<p class="quiet small">Asking ${this.label} …</p>`;
    if (!this.checked) return nothing;
    const { ok, reason, message, advice, latency } = this.checked;
    const variant = ok ? (reason ? "warning" : "success") : "danger";
    const took = ok && latency ? ` It answered in ${Math.round(parseFloat(latency) * 1000)} ms.` : "";
    return html`<wa-callout size="s" variant=${variant} data-testid="provider-check">
      <wa-icon slot="icon" name=${ok && !reason ? "check" : "warning"}></wa-icon>
      ${message}${took}${advice ? html` <span class="advice">${advice}</span>` : nothing}
    </wa-callout>`;
  }

  private renderFoot() {
    return html`<footer>
      <wa-button
        size="s"
        appearance="outlined"
        data-testid="test-connection-button"
        ?loading=${this.isChecking}
        @click=${this.check}
      >
        <wa-icon slot="start" name="plug"></wa-icon>Test connection<span class="visually-hidden"> to ${this.label}</span>
      </wa-button>
      ${this.provider.builtIn
        ? nothing
        : html`<wa-button size="s" appearance="plain" variant="danger" @click=${this.delete}>Delete provider</wa-button>`}
    </footer>`;
  }

  private renderHead() {
    const { state, enabled, etag, name } = this.provider;
    const isUntouched = state === "INCOMPLETE" && !enabled;
    const { words, variant } = isUntouched ? NOT_SET_UP : STATES[state ?? "STATE_UNSPECIFIED"];
    const kind = this.provider.builtIn ? this.label : (this.kind?.title ?? this.provider.kind ?? "");
    return html`<header>
      <div class="grow">
        <h3>${this.label} <wa-badge variant=${variant} appearance="filled" pill>${words}</wa-badge></h3>
        ${kind !== this.label ? html`<p class="quiet small">${kind}</p>` : nothing}
      </div>
      <wa-switch
        data-testid="ai-provider-toggle-${leaf(name)}"
        .checked=${live(enabled ?? false)}
        @change=${(event: Event) => {
          const on = checkedOf(event);
          void this.store(() => updateProvider({ name, etag, enabled: on }, "enabled"), on ? "Switched on" : "Switched off");
        }}
        ><span class="visually-hidden">Use ${this.label}</span></wa-switch
      >
    </header>`;
  }

  override render() {
    const { missing, accountId } = this.provider;
    const isForeign = this.kindsKnown && !this.kind;
    const account = this.kind?.requires?.includes("account_id") || accountId;
    return html`
      <div class="sheet" data-testid="ai-provider-card-${leaf(this.provider.name)}">
        ${this.renderHead()}
        ${missing?.length && this.provider.state === "INCOMPLETE"
          ? html`<p class="small ${this.provider.enabled ? "missing" : "quiet"}">It still needs ${missing.map((what) => NEEDS[what] ?? what).join(" and ")}.</p>`
          : nothing}
        ${isForeign ? html`<p class="quiet small">This server cannot draw with it: nothing here speaks its protocol.</p>` : nothing}
        <dl>
          <dt>Key</dt>
          ${this.renderKey()}
          ${this.renderValue("Endpoint", "endpoint", "http or https, host, port and path. A new endpoint drops the stored key.")}
          ${account ? this.renderValue("Account id", "accountId", "The account at the provider that the key belongs to.") : nothing}
        </dl>
        <div class="state">
          ${this.renderHealth()}
          <div role="status">${this.renderChecked()}</div>
        </div>
        ${this.renderFoot()}
      </div>
      <value-dialog .asked=${this.asked} @close=${() => (this.asked = undefined)}></value-dialog>
    `;
  }
}
