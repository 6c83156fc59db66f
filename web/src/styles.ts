import { css } from "lit";

/** What every component begins with: boxes, type, links, and the few words that must look alike everywhere. */
export const base = css`
  :host {
    display: block;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  h1,
  h2,
  h3,
  p,
  ul,
  ol,
  dl,
  dd,
  figure,
  fieldset {
    margin: 0;
    padding: 0;
    border: 0;
    min-inline-size: 0;
  }
  ul,
  ol {
    list-style: none;
  }
  h1,
  h2,
  h3 {
    font-family: var(--wa-font-family-heading);
    font-weight: var(--wa-font-weight-heading);
    line-height: 1.2;
    letter-spacing: -0.01em;
    text-wrap: balance;
  }
  h1 {
    font-size: clamp(var(--wa-font-size-xl), 1.2rem + 2vw, var(--wa-font-size-2xl));
  }
  h2 {
    font-size: var(--wa-font-size-l);
  }
  h3 {
    font-size: var(--wa-font-size-m);
    letter-spacing: 0;
  }
  wa-dialog::part(title) {
    font-family: var(--wa-font-family-heading);
    font-weight: var(--wa-font-weight-heading);
  }
  a {
    color: var(--wa-color-text-link);
    text-underline-offset: 0.2em;
    text-decoration-thickness: 0.06em;
  }
  a:focus-visible,
  button:focus-visible,
  [tabindex]:focus-visible {
    outline: var(--wa-focus-ring);
    outline-offset: var(--wa-focus-ring-offset);
  }
  .quiet {
    color: var(--wa-color-text-quiet);
  }
  .small {
    font-size: var(--wa-font-size-s);
    line-height: 1.5;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--wa-space-s);
  }
  .grow {
    flex: 1 1 0;
    min-width: 0;
  }
  .stack {
    display: grid;
    gap: var(--wa-space-m);
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation-duration: 0.01ms !important;
      animation-iteration-count: 1 !important;
      transition-duration: 0.01ms !important;
    }
  }
`;

/** A page's column. */
export const page = css`
  .page {
    max-width: var(--page-width);
    margin-inline: auto;
    padding: var(--wa-space-xl) var(--page-gutter) var(--wa-space-5xl);
  }
`;

/** A raised sheet of paper. */
export const sheet = css`
  .sheet {
    background: var(--wa-color-surface-raised);
    border: 1px solid var(--wa-color-surface-border);
    border-radius: var(--wa-border-radius-l);
  }
`;
