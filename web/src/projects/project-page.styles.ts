import { css } from "lit";

export const projectPageStyles = css`
  .waiting {
    display: grid;
    place-items: center;
    min-height: 60vh;
    font-size: 2rem;
  }
  header {
    display: grid;
    gap: var(--wa-space-xs);
    margin-block-end: var(--wa-space-m);
  }
  .way a {
    color: var(--wa-color-text-quiet);
    font-size: var(--wa-font-size-s);
    text-decoration: none;
  }
  .way a:hover {
    text-decoration: underline;
  }
  .title {
    display: flex;
    flex-wrap: wrap;
    align-items: flex-start;
    gap: var(--wa-space-m);
  }
  .title .grow {
    flex-basis: 20rem;
  }
  h1 {
    overflow-wrap: anywhere;
  }
  .description {
    max-width: 44rem;
    margin-block-start: var(--wa-space-2xs);
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 3;
    overflow: hidden;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: var(--wa-space-xs);
  }
  @media (max-width: 40rem) {
    .actions {
      flex-wrap: nowrap;
      gap: var(--wa-space-2xs);
    }
    .actions > [data-testid="add-media-upload"] wa-icon {
      display: none;
    }
  }
  .tabs {
    display: flex;
    gap: var(--wa-space-m);
    margin-block-start: var(--wa-space-s);
    border-block-end: 1px solid var(--wa-color-surface-border);
  }
  .tabs a {
    padding: var(--wa-space-xs) 0;
    margin-block-end: -1px;
    color: inherit;
    font-size: var(--wa-font-size-s);
    font-weight: var(--wa-font-weight-semibold);
    text-decoration: none;
    border-block-end: 2px solid var(--wa-color-brand-fill-loud);
  }
  wa-callout {
    margin-block-end: var(--wa-space-l);
  }
`;
