import { LitElement, type PropertyValues, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { deleteProfile, getCapabilities, updateProfile } from "../api";
import { asApiError } from "../errors";
import { checkedOf, fire, notify } from "../events";
import { day, leaf, shape } from "../format";
import type { ModelNotice, Profile, Provider } from "../messages";
import { confirm } from "../parts/confirm-dialog";
import { addresses } from "../router";
import { sentence } from "../sentences";
import { base, sheet } from "../styles";

const MOST_SIZES = 5;

/** One profile in the administrator's grid. Says `changed`. */
@customElement("profile-item")
export class ProfileItem extends LitElement {
  static override styles = [
    base,
    sheet,
    css`
      :host {
        height: 100%;
      }
      .sheet {
        display: flex;
        flex-direction: column;
        gap: var(--wa-space-xs);
        height: 100%;
        padding: var(--wa-space-m);
      }
      .off {
        background: none;
      }
      .head {
        display: flex;
        align-items: flex-start;
        gap: var(--wa-space-s);
      }
      h3 {
        overflow-wrap: anywhere;
      }
      .sizes {
        display: flex;
        flex-wrap: wrap;
        gap: var(--wa-space-3xs);
      }
      .sizes li {
        padding: 0.1em 0.5em;
        border-radius: var(--wa-border-radius-s);
        background: var(--wa-color-surface-lowered);
        color: var(--wa-color-text-quiet);
        font-size: var(--wa-font-size-xs);
        font-variant-numeric: tabular-nums;
      }
      .actions {
        display: flex;
        align-items: center;
        margin-block-start: auto;
        margin-inline: calc(var(--wa-space-xs) * -1);
      }
    `,
  ];

  @property({ attribute: false }) profile!: Profile;
  @property({ attribute: false }) provider?: Provider;
  @state() private notice?: ModelNotice;

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("profile") && changed.get("profile")?.etag !== this.profile.etag) void this.loadNotice();
  }

  private async loadNotice(): Promise<void> {
    try {
      this.notice = (await getCapabilities(this.profile.name ?? "")).modelNotice;
    } catch (error) {
      asApiError(error); // The generation service may be down; the card does without.
      this.notice = undefined;
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

  private async delete(): Promise<void> {
    const sure = await confirm({
      title: `Delete “${this.profile.title}”?`,
      text: "Writers cannot pick it any more. What was made with it stays.",
      action: "Delete Profile",
      danger: true,
    });
    if (sure) await this.store(() => deleteProfile(this.profile.name ?? ""), "Profile deleted");
  }

  private renderSizes(sizes: string[]) {
    if (!sizes.length) return html`<p class="quiet small">Any size the model takes</p>`;
    return html`<ul class="sizes" aria-label="Sizes">
      ${sizes.slice(0, MOST_SIZES).map((size) => html`<li>${shape(size).label}</li>`)}
      ${sizes.length > MOST_SIZES ? html`<li>and ${sizes.length - MOST_SIZES} more</li>` : nothing}
    </ul>`;
  }

  private renderNotice({ ended, endDate, successor, note }: ModelNotice) {
    const ends = endDate ? day(`${endDate}T00:00`) : "";
    const what = ended ? `This model has ended${ends ? ` (${ends})` : ""}.` : `This model ends on ${ends}.`;
    return html`<wa-callout variant=${ended ? "danger" : "warning"} size="s" data-testid="model-notice">
      <wa-icon slot="icon" name="warning"></wa-icon>
      ${what} ${successor ? html`<strong>${successor}</strong> takes its place.` : note}
    </wa-callout>`;
  }

  override render() {
    const { name, title, description, model, enabled, sizes, priceNote, etag } = this.profile;
    const id = leaf(name);
    const provider = this.provider?.title || leaf(this.profile.provider);
    return html`
      <div class="sheet ${enabled ? "" : "off"}" data-testid="profile-item-${id}">
        <div class="head">
          <div class="grow">
            <h3>${title}</h3>
            <p class="quiet small">${provider} / ${model}</p>
          </div>
          <wa-switch
            size="s"
            data-testid="profile-toggle-${id}"
            .checked=${live(enabled ?? false)}
            @change=${(event: Event) => {
              const on = checkedOf(event);
              void this.store(() => updateProfile({ name, etag, enabled: on }, "enabled"), on ? "Switched on" : "Switched off");
            }}
            ><span class="visually-hidden">Offer ${title}</span></wa-switch
          >
        </div>
        ${description ? html`<p class="small">${description}</p>` : nothing} ${this.renderSizes(sizes ?? [])}
        ${priceNote ? html`<p class="quiet small">${priceNote}</p>` : nothing}
        ${this.notice ? this.renderNotice(this.notice) : nothing}
        ${this.provider && this.provider.state !== "READY"
          ? html`<p class="small"><wa-badge variant="warning" appearance="filled" pill>Provider not ready</wa-badge></p>`
          : nothing}
        <div class="actions">
          <wa-button size="s" appearance="plain" data-testid="profile-edit-${id}" href=${addresses.profile(id)}>
            <wa-icon slot="start" name="pencil"></wa-icon>Edit<span class="visually-hidden"> ${title}</span>
          </wa-button>
          <wa-button size="s" appearance="plain" variant="danger" data-testid="profile-delete-${id}" @click=${this.delete}>
            <wa-icon slot="start" name="trash"></wa-icon>Delete<span class="visually-hidden"> ${title}</span>
          </wa-button>
        </div>
      </div>
    `;
  }
}
