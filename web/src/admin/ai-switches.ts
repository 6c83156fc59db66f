import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { setImagesEnabled, setKillSwitch } from "../api";
import { asApiError } from "../errors";
import { checkedOf, fire, notify } from "../events";
import type { Settings } from "../messages";
import { confirm } from "../parts/confirm-dialog";
import { sentence } from "../sentences";
import { base, sheet } from "../styles";
import "./source-tag";

/** The two switches: AI at all, and images. Says `changed` with the settings. */
@customElement("ai-switches")
export class AiSwitches extends LitElement {
  static override styles = [
    base,
    sheet,
    css`
      .line {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: var(--wa-space-2xs) var(--wa-space-l);
        align-items: center;
        padding: var(--wa-space-m) var(--wa-space-l);
      }
      .line + .line {
        border-block-start: 1px solid var(--wa-color-surface-border);
      }
      h3 {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--wa-space-xs);
        font-family: var(--wa-font-family-body);
        font-weight: var(--wa-font-weight-bold);
      }
      .locked {
        display: flex;
        gap: var(--wa-space-2xs);
        align-items: center;
        grid-column: 1 / -1;
        color: var(--wa-color-warning-on-normal);
      }
    `,
  ];

  @property({ attribute: false }) settings!: Settings;
  @state() private busy = false;

  private async store(change: () => Promise<Settings>): Promise<void> {
    this.busy = true;
    try {
      fire(this, "changed", await change());
    } catch (error) {
      notify(this, sentence(asApiError(error)), "danger");
    } finally {
      this.busy = false;
    }
  }

  private async switchAi(event: Event): Promise<void> {
    const on = checkedOf(event);
    const sure =
      !on ||
      (await confirm({
        title: "Switch AI on?",
        text: "What writers describe, and pictures they give as input, are then sent to the providers you set up. Those may be other companies.",
        action: "Switch AI On",
      }));
    if (sure) await this.store(() => setKillSwitch(!on));
    this.requestUpdate();
  }

  override render() {
    const { killSwitch, killSwitchLocked, imagesEnabled, sources } = this.settings;
    return html`
      <div class="sheet" data-testid="settings-card">
        <div class="line">
          <div>
            <h3>AI on this server <source-tag .source=${sources?.["kill_switch"] ?? sources?.["killSwitch"] ?? "DEFAULT"}></source-tag></h3>
            <p class="quiet small">The kill switch. While it is off, nothing is sent to any provider, whoever asks.</p>
          </div>
          <wa-switch
            data-testid="kill-switch"
            aria-label="AI on this server"
            ?disabled=${killSwitchLocked || this.busy}
            .checked=${live(!killSwitch)}
            @change=${this.switchAi}
            ><span class="visually-hidden">AI on this server</span></wa-switch
          >
          ${killSwitchLocked
            ? html`<p class="locked small" data-testid="kill-switch-locked">
                <wa-icon name="lock"></wa-icon>Locked by AI_KILL_SWITCH in the server's environment. Change it there and
                restart.
              </p>`
            : nothing}
        </div>
        <div class="line">
          <div>
            <h3>
              Image generation
              <source-tag .source=${sources?.["images_enabled"] ?? sources?.["imagesEnabled"] ?? "DEFAULT"}></source-tag>
            </h3>
            <p class="quiet small">The master switch. Writers are offered <em>Generate Image</em> only while it is on.</p>
          </div>
          <wa-switch
            data-testid="images-switch"
            ?disabled=${killSwitch || this.busy}
            .checked=${live(imagesEnabled ?? false)}
            @change=${(event: Event) => this.store(() => setImagesEnabled(checkedOf(event)))}
            ><span class="visually-hidden">Image generation</span></wa-switch
          >
        </div>
      </div>
    `;
  }
}
