import { css } from "lit";

export const modelPickerStyles = css`
  .filter {
    display: flex;
    flex-wrap: wrap;
    gap: var(--wa-space-2xs);
    margin-block-start: var(--wa-space-xs);
  }
  button[aria-pressed] {
    background: var(--wa-color-surface-lowered);
    border: 1px solid var(--wa-color-surface-border);
    color: inherit;
    font: inherit;
    font-size: var(--wa-font-size-s);
    cursor: pointer;
  }
  .filter button {
    padding: 0.25em 0.8em;
    border-radius: 1em;
  }
  .offers {
    display: grid;
    gap: var(--wa-space-3xs);
    margin-block-start: var(--wa-space-xs);
    max-height: 15rem;
    overflow-y: auto;
  }
  .offers button {
    display: grid;
    width: 100%;
    padding: var(--wa-space-2xs) var(--wa-space-s);
    border-radius: var(--wa-border-radius-m);
    text-align: start;
    overflow-wrap: anywhere;
  }
  .offers span {
    font-size: var(--wa-font-size-xs);
  }
  .offers .title {
    font-size: var(--wa-font-size-s);
  }
  button[aria-pressed]:hover,
  button[aria-pressed="true"] {
    border-color: var(--wa-color-brand-border-loud);
    background: var(--wa-color-brand-fill-quiet);
  }
  .note {
    margin-block-start: var(--wa-space-2xs);
  }
  .ending {
    color: var(--wa-color-warning-on-quiet);
  }
`;
