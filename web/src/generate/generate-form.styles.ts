import { css } from "lit";

export const generateFormStyles = css`
  .all {
    display: grid;
    gap: var(--wa-space-l);
  }
  .pair {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr));
    gap: var(--wa-space-m);
    align-items: start;
  }
  .field-error {
    margin-block-start: var(--wa-space-2xs);
    color: var(--wa-color-danger-on-quiet);
  }
  wa-skeleton {
    height: 10rem;
    --border-radius: var(--wa-border-radius-m);
  }
`;
