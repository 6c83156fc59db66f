import { css } from "lit";

export const viewerStyles = css`
  wa-dialog {
    --width: min(82rem, calc(100vw - 2rem));
    --spacing: 0;
  }
  wa-dialog::part(dialog) {
    overflow: hidden;
    max-height: calc(100dvh - 2rem);
  }
  .frame {
    position: relative;
    display: grid;
    grid-template-columns: minmax(0, 1fr) 22rem;
    height: min(52rem, calc(100dvh - 2rem));
  }
  load-error {
    grid-column: 1 / -1;
    align-self: center;
  }
  .stage {
    position: relative;
    display: grid;
    place-items: center;
    min-height: 0;
    padding: var(--wa-space-l);
    background: var(--wa-color-surface-lowered);
  }
  .stage img {
    grid-area: 1 / 1;
    width: auto;
    height: auto;
    max-width: 100%;
    max-height: 100%;
    min-height: 0;
    object-fit: contain;
    border-radius: var(--wa-border-radius-s);
    opacity: 0;
    transition: opacity var(--wa-transition-normal);
  }
  .stage img.there {
    opacity: 1;
    box-shadow: 0 1rem 2.5rem -1rem var(--wa-color-shadow);
  }
  .stage > wa-spinner,
  .stage > p {
    grid-area: 1 / 1;
  }
  .stage > wa-spinner {
    font-size: 2rem;
  }
  .turn {
    position: absolute;
    top: calc(50% - 1.25rem);
  }
  .back {
    left: var(--wa-space-s);
  }
  .on {
    right: var(--wa-space-s);
  }
  .close {
    position: absolute;
    z-index: 1;
    top: var(--wa-space-s);
    right: var(--wa-space-s);
  }
  .side {
    display: flex;
    flex-direction: column;
    gap: var(--wa-space-l);
    padding: var(--wa-space-l);
    padding-block-start: 4rem;
    overflow-y: auto;
    border-inline-start: 1px solid var(--wa-color-surface-border);
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: var(--wa-space-xs);
    margin-block-start: auto;
    padding-block-start: var(--wa-space-s);
  }
  @media (max-width: 52rem) {
    .frame {
      grid-template-columns: minmax(0, 1fr);
      grid-template-rows: auto auto;
      height: auto;
      max-height: calc(100dvh - 2rem);
      overflow-y: auto;
    }
    .stage {
      height: min(60vh, 30rem);
      padding: var(--wa-space-s);
    }
    .side {
      padding-block-start: var(--wa-space-l);
      overflow: visible;
      border-inline-start: 0;
    }
  }
`;
