import { LitElement, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { deleteImage, getGeneration, getImage, imageAddress, renameImage } from "../api";
import { type ApiError, asApiError } from "../errors";
import { fire, isOwn, notify, valueOf } from "../events";
import { leaf } from "../format";
import type { Generation, Image } from "../messages";
import { confirm } from "../parts/confirm-dialog";
import { sentence } from "../sentences";
import { base } from "../styles";
import "../parts/load-error";
import "./image-facts";
import { viewerStyles } from "./image-viewer.styles";

/** One image, large, with all that is known of it. Says `close`, `turn` with -1 or 1, `renamed` and `deleted`. */
@customElement("image-viewer")
export class ImageViewer extends LitElement {
  static override styles = [base, viewerStyles];

  /** The image, `projects/{project}/images/{image}`; empty when closed. */
  @property() name = "";
  @property({ type: Boolean }) canTurnBack = false;
  @property({ type: Boolean }) canTurnOn = false;
  @property({ type: Boolean }) canChange = false;
  @state() private image?: Image;
  @state() private generation?: Generation;
  @state() private error?: ApiError;
  @state() private loaded = false;
  /** The smaller copy could not be had, so the original stands in for it. */
  @state() private showsOriginal = false;
  @state() private isBroken = false;

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("name") && this.name) void this.load();
  }

  private async load(): Promise<void> {
    const name = this.name;
    this.loaded = this.isBroken = this.showsOriginal = false;
    this.error = this.generation = undefined;
    try {
      const image = await getImage(name);
      if (this.name !== name) return;
      this.image = image;
      if (image.generation) {
        const generation = await getGeneration(image.generation);
        if (this.name === name) this.generation = generation;
      }
    } catch (error) {
      if (this.name === name) this.error = asApiError(error);
    }
  }

  private turn(event: KeyboardEvent): void {
    const typing = event.composedPath().some((node) => node instanceof HTMLInputElement);
    if (typing || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowLeft" && this.canTurnBack) fire(this, "turn", -1);
    if (event.key === "ArrowRight" && this.canTurnOn) fire(this, "turn", 1);
  }

  private async rename(event: Event): Promise<void> {
    const title = valueOf(event).trim();
    if (!this.image || title === this.image.title) return;
    try {
      this.image = await renameImage(this.image, title);
      fire(this, "renamed", this.image);
      notify(this, "Title saved");
    } catch (error) {
      notify(this, sentence(asApiError(error)), "danger");
      this.requestUpdate();
    }
  }

  private async delete(): Promise<void> {
    const sure = await confirm({
      title: "Delete this image?",
      text: "It goes from the library for everyone in this project. This cannot be undone.",
      action: "Delete Image",
      danger: true,
    });
    if (!sure) return;
    try {
      await deleteImage(this.name);
      notify(this, "Image deleted");
      fire(this, "deleted", this.name);
    } catch (error) {
      notify(this, sentence(asApiError(error)), "danger");
    }
  }

  private renderPicture(image: Image) {
    const text = this.generation?.prompt || image.title || "Uploaded picture";
    return html`
      <img
        class=${this.loaded ? "there" : ""}
        width=${image.width ?? 1}
        height=${image.height ?? 1}
        src=${imageAddress(this.name, this.showsOriginal ? undefined : "W1024", image.sha256)}
        alt=${text}
        @load=${() => (this.loaded = true)}
        @error=${() => (this.showsOriginal ? (this.isBroken = true) : (this.showsOriginal = true))}
      />
      ${this.loaded
        ? nothing
        : this.isBroken
          ? html`<p class="quiet" role="alert">This picture cannot be shown just now.</p>`
          : html`<wa-spinner></wa-spinner>`}
    `;
  }

  private renderSide(image: Image) {
    const extension = (image.contentType ?? "").replace("image/", "").replace("jpeg", "jpg");
    return html`
      <wa-input
        label="Title"
        data-testid="image-title-input"
        placeholder="Untitled"
        maxlength="200"
        ?disabled=${!this.canChange}
        .value=${image.title ?? ""}
        @change=${this.rename}
      ></wa-input>
      <image-facts .image=${image} .generation=${this.generation}></image-facts>
      <div class="actions">
        <wa-button
          appearance="outlined"
          data-testid="download-image-button"
          href=${imageAddress(this.name)}
          download="${image.title || leaf(image.name)}.${extension}"
        >
          <wa-icon slot="start" name="download"></wa-icon>Download Original
        </wa-button>
        ${this.canChange
          ? html`<wa-button appearance="plain" variant="danger" data-testid="delete-image-button" @click=${this.delete}>
              <wa-icon slot="start" name="trash"></wa-icon>Delete
            </wa-button>`
          : nothing}
      </div>
    `;
  }

  private renderTurn(by: 1 | -1, possible: boolean, label: string) {
    return html`<wa-button
      class="turn ${by < 0 ? "back" : "on"}"
      pill
      appearance="filled"
      ?hidden=${!possible}
      @click=${() => fire(this, "turn", by)}
    >
      <wa-icon name=${by < 0 ? "chevron-left" : "chevron-right"} label=${label}></wa-icon>
    </wa-button>`;
  }

  private renderBody() {
    if (this.error) return html`<load-error .error=${this.error} @retry=${this.load}></load-error>`;
    const image = this.image;
    if (!image || image.name !== this.name) return html`<div class="stage"><wa-spinner></wa-spinner></div>`;
    return html`
      <div class="stage">
        ${this.renderPicture(image)} ${this.renderTurn(-1, this.canTurnBack, "Previous image")}
        ${this.renderTurn(1, this.canTurnOn, "Next image")}
      </div>
      <div class="side">${this.renderSide(image)}</div>
    `;
  }

  override render() {
    return html`
      <wa-dialog
        label=${this.image?.title || "Image"}
        data-testid="image-viewer-dialog"
        without-header
        light-dismiss
        ?open=${this.name !== ""}
        @keydown=${this.turn}
        @wa-hide=${(event: Event) => {
          if (isOwn(event) && this.name) fire(this, "close");
        }}
      >
        <div class="frame">
          <wa-button class="close" pill appearance="filled" data-testid="close-viewer-button" @click=${() => fire(this, "close")}>
            <wa-icon name="close" label="Close"></wa-icon>
          </wa-button>
          ${this.renderBody()}
        </div>
      </wa-dialog>
    `;
  }
}
