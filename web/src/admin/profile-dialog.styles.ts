import { css } from "lit";

export const profileDialogStyles = css`
  wa-dialog {
    --width: 42rem;
  }
  wa-dialog::part(footer) {
    padding-block-start: var(--wa-space-m);
    border-block-start: 1px solid var(--wa-color-surface-border);
  }
  form {
    display: grid;
    gap: var(--wa-space-l);
  }
  h3 {
    margin-block-end: var(--wa-space-2xs);
    font-family: var(--wa-font-family-body);
    font-weight: var(--wa-form-control-label-font-weight);
  }
  .pair {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr));
    gap: var(--wa-space-m);
  }
  .more {
    display: grid;
    gap: var(--wa-space-m);
  }
  wa-details {
    --spacing: var(--wa-space-m);
  }
  .config::part(textarea) {
    font-family: var(--wa-font-family-code);
    font-size: var(--wa-font-size-s);
  }
  .field-error {
    margin-block-start: var(--wa-space-2xs);
    color: var(--wa-color-danger-on-quiet);
  }
`;
