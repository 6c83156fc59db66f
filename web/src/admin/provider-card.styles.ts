import { css } from "lit";

export const providerCardStyles = css`
  :host {
    height: 100%;
  }
  .sheet {
    display: flex;
    flex-direction: column;
    gap: var(--wa-space-s);
    height: 100%;
    padding: var(--wa-space-m) var(--wa-space-l);
  }
  header {
    display: flex;
    align-items: center;
    gap: var(--wa-space-m);
  }
  h3 {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--wa-space-xs);
    font-size: 1.1rem;
  }
  wa-badge {
    font-family: var(--wa-font-family-body);
    font-size: var(--wa-font-size-2xs);
  }
  .missing {
    color: var(--wa-color-warning-on-quiet);
  }
  dl {
    display: grid;
    grid-template-columns: max-content minmax(0, 1fr) max-content;
    align-items: center;
    gap: 0 var(--wa-space-m);
    font-size: var(--wa-font-size-s);
  }
  dt {
    color: var(--wa-color-text-quiet);
  }
  dd {
    min-height: 2.5rem;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--wa-space-3xs) var(--wa-space-xs);
  }
  dd.do {
    flex-wrap: nowrap;
    justify-content: flex-end;
    gap: 0;
    margin-inline-end: calc(var(--wa-space-xs) * -1);
  }
  code {
    font-family: var(--wa-font-family-code);
    letter-spacing: 0.02em;
  }
  .value {
    overflow-wrap: anywhere;
  }
  @media (max-width: 40rem) {
    .sheet {
      padding: var(--wa-space-m);
    }
    dl {
      grid-template-columns: minmax(0, 1fr) max-content;
    }
    dt {
      grid-column: 1 / -1;
      margin-block-end: calc(var(--wa-space-2xs) * -1);
    }
  }
  .state {
    display: grid;
    gap: var(--wa-space-2xs);
    margin-block-start: auto;
  }
  .health {
    color: var(--wa-color-text-quiet);
  }
  .health.missing {
    color: var(--wa-color-warning-on-quiet);
  }
  .advice {
    display: block;
  }
  footer {
    display: flex;
    flex-wrap: wrap;
    gap: var(--wa-space-2xs);
  }
`;
