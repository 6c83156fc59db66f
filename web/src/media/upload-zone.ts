import { LitElement, css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { newRequestId, uploadImage } from "../api";
import { asApiError } from "../errors";
import { fire, notify } from "../events";
import { plural } from "../format";
import { sentence } from "../sentences";
import { base } from "../styles";

type Refusal = { file: string; why: string };

/** Takes pictures that are dropped on what it holds, or chosen by `choose()`. Says `uploaded` after each. */
@customElement("upload-zone")
export class UploadZone extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        position: relative;
        min-height: 50vh;
      }
      .over {
        position: fixed;
        inset: 0;
        z-index: 20;
        display: grid;
        place-content: center;
        justify-items: center;
        gap: var(--wa-space-s);
        background: color-mix(in oklab, var(--wa-color-surface-default) 86%, transparent);
        border: 3px dashed var(--wa-color-brand-border-loud);
        font-family: var(--wa-font-family-heading);
        font-size: var(--wa-font-size-l);
        pointer-events: none;
      }
      .over wa-icon {
        font-size: 2.5rem;
        color: var(--wa-color-brand-on-quiet);
      }
      .news {
        display: grid;
        gap: var(--wa-space-xs);
      }
      .news > * {
        margin-block-end: var(--wa-space-m);
      }
      .busy {
        display: flex;
        align-items: center;
        gap: var(--wa-space-s);
      }
    `,
  ];

  /** The project, `projects/{project}`. */
  @property() project = "";
  @property({ type: Boolean }) disabled = false;
  @state() private over = false;
  @state() private left = 0;
  @state() private refusals: Refusal[] = [];
  @query("input") private input!: HTMLInputElement;

  /** Opens the system's file dialog. */
  choose(): void {
    this.input.click();
  }

  private async take(files: File[]): Promise<void> {
    this.refusals = [];
    this.left += files.length;
    let kept = 0;
    for (const file of files) {
      if (await this.upload(file)) kept += 1;
      this.left -= 1;
    }
    if (kept) notify(this, `${plural(kept, "picture")} uploaded`);
  }

  private async upload(file: File): Promise<boolean> {
    try {
      fire(this, "uploaded", await uploadImage(this.project, file, newRequestId()));
      return true;
    } catch (error) {
      this.refusals = [...this.refusals, { file: file.name, why: sentence(asApiError(error)) }];
      return false;
    }
  }

  private forget(file: string): void {
    this.refusals = this.refusals.filter((refusal) => refusal.file !== file);
  }

  private drag(event: DragEvent, over: boolean): void {
    if (this.disabled || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.over = over;
  }

  private drop(event: DragEvent): void {
    this.drag(event, false);
    if (!this.disabled) void this.take([...(event.dataTransfer?.files ?? [])]);
  }

  override render() {
    return html`
      <div
        @dragenter=${(event: DragEvent) => this.drag(event, true)}
        @dragover=${(event: DragEvent) => this.drag(event, true)}
        @dragleave=${(event: DragEvent) => this.drag(event, false)}
        @drop=${this.drop}
      >
        <input
          type="file"
          hidden
          multiple
          aria-label="Pictures to upload"
          accept="image/png,image/jpeg,image/webp"
          data-testid="upload-input"
          @change=${() => {
            void this.take([...(this.input.files ?? [])]);
            this.input.value = "";
          }}
        />
        <div class="news" role="status">
          ${this.left
            ? html`<div class="busy small"><wa-spinner></wa-spinner>Uploading ${plural(this.left, "picture")} …</div>`
            : nothing}
          ${this.refusals.map(
            ({ file, why }) => html`<wa-callout variant="danger" size="s" data-testid="upload-error">
              <wa-icon slot="icon" name="warning"></wa-icon><strong>${file}</strong> was not kept. ${why}
              <wa-button size="xs" appearance="plain" variant="danger" @click=${() => this.forget(file)}>Dismiss</wa-button>
            </wa-callout>`,
          )}
        </div>
        ${this.over
          ? html`<div class="over"><wa-icon name="upload"></wa-icon>Drop pictures to add them to the library</div>`
          : nothing}
        <slot></slot>
      </div>
    `;
  }
}
