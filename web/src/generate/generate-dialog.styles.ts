import { css } from "lit";

export const generateDialogStyles = css`
  wa-dialog {
    --width: min(66rem, calc(100vw - 2rem));
  }
  wa-dialog::part(dialog) {
    max-height: calc(100dvh - 2rem);
  }
  wa-dialog::part(footer) {
    padding-block-start: var(--wa-space-m);
    border-block-start: 1px solid var(--wa-color-surface-border);
  }
  wa-dialog::part(header-actions) {
    align-items: center;
  }
  .steps {
    display: flex;
    gap: var(--wa-space-m);
    margin-inline-end: var(--wa-space-s);
    color: var(--wa-color-text-quiet);
    font-size: var(--wa-font-size-s);
  }
  .steps li + li::before {
    content: "›";
    margin-inline-end: var(--wa-space-m);
    opacity: 0.6;
  }
  .steps [aria-current] {
    color: var(--wa-color-text-normal);
    font-weight: var(--wa-font-weight-bold);
  }
  .footer {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--wa-space-xs);
    width: 100%;
  }
  .note {
    flex: 1 1 auto;
  }
  .note:empty {
    display: none;
  }
  .footer:has(.note:empty) {
    justify-content: flex-end;
  }
  @media (max-width: 40rem) {
    .note {
      flex-basis: 100%;
    }
    .footer wa-button {
      flex: 1 1 auto;
    }
  }
  @media (max-width: 52rem) {
    .steps {
      display: none;
    }
  }
`;
