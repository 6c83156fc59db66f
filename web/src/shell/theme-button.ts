import { LitElement, html } from "lit";
import { customElement, state } from "lit/decorators.js";
import { base } from "../styles";
import { chooseTheme, currentTheme } from "../theme";

/** Switches between light and dark. */
@customElement("theme-button")
export class ThemeButton extends LitElement {
  static override styles = base;

  @state() private theme = currentTheme();

  private switch(): void {
    this.theme = this.theme === "dark" ? "light" : "dark";
    chooseTheme(this.theme);
  }

  override render() {
    const other = this.theme === "dark" ? "light" : "dark";
    return html`
      <wa-button appearance="plain" size="s" data-testid="theme-button" @click=${this.switch}>
        <wa-icon name=${other === "dark" ? "moon" : "sun"} label="Use the ${other} theme"></wa-icon>
      </wa-button>
    `;
  }
}
