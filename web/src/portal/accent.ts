/** The platform's colour as the accent of the portal. */

/** properties returns the design tokens for an accent of six hex digits. Texts stay readable: dark themes lighten it. */
export function properties(accent: string): Record<string, string> {
  return {
    "--accent": `light-dark(color-mix(in oklab, ${accent} 85%, black), color-mix(in oklab, ${accent} 55%, white))`,
    "--accent-solid": accent,
    "--accent-hover": `color-mix(in oklab, ${accent} 88%, black)`,
    "--accent-soft": `light-dark(color-mix(in oklab, ${accent} 10%, white), color-mix(in oklab, ${accent} 22%, #131417))`,
    "--selected": `light-dark(color-mix(in oklab, ${accent} 10%, white), color-mix(in oklab, ${accent} 22%, #131417))`,
    "--focus": `light-dark(color-mix(in oklab, ${accent} 85%, black), color-mix(in oklab, ${accent} 55%, white))`,
    "--on-accent": luminance(accent) > 0.4 ? "#111111" : "#ffffff",
  };
}

/** luminance returns how light a colour is, from 0 to 1, as WCAG 2 defines it. */
export function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const c = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
