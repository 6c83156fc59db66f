import { css } from "lit";

export const describeStepStyles = css`
  .waiting {
    display: grid;
    place-items: center;
    min-height: 20rem;
    font-size: 2rem;
  }
  .columns {
    display: grid;
    grid-template-columns: minmax(0, 1fr) 19rem;
    gap: var(--wa-space-xl);
    align-items: start;
  }
  aside {
    position: sticky;
    top: 0;
    padding: var(--wa-space-m);
    border: 1px solid var(--wa-color-surface-border);
    border-radius: var(--wa-border-radius-l);
  }
  .error {
    margin-block-start: var(--wa-space-m);
  }
  @media (max-width: 52rem) {
    .columns {
      grid-template-columns: minmax(0, 1fr);
    }
    aside {
      position: static;
    }
  }
`;
