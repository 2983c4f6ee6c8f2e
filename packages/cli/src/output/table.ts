/** A table of texts, no wider than the terminal: columns are cut, lines never wrap. */

export interface Column {
  readonly title: string
  /** Characters it keeps when there is little room. */
  readonly least?: number
}

const GAP = 2
const LEAST = 6

/** `width` null: as wide as it has to be. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | null,
): string[] {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => row.map(printable))]
  const wanted = columns.map((_, i) => Math.max(...cells.map((row) => widthOf(row[i] ?? ''))))
  const given = width === null ? wanted : fitted(wanted, columns, width)
  return cells.map((row) =>
    given
      .map((size, i) => (size === 0 ? undefined : padded(cut(row[i] ?? '', size), size)))
      .filter((cell) => cell !== undefined)
      .join(' '.repeat(GAP))
      .trimEnd(),
  )
}

/** The widest column gives first; when all are at their least, the last ones are left out. */
function fitted(wanted: readonly number[], columns: readonly Column[], width: number): number[] {
  const sizes = [...wanted]
  const total = (): number => {
    const shown = sizes.filter((size) => size > 0)
    return shown.reduce((sum, size) => sum + size, 0) + GAP * Math.max(0, shown.length - 1)
  }
  const least = columns.map((column, i) => Math.min(wanted[i] ?? 0, column.least ?? LEAST))
  for (;;) {
    const over = total() - width
    if (over <= 0) return sizes
    const spare = sizes.map((size, i) => size - (least[i] ?? 0))
    const most = Math.max(...spare)
    if (most > 0) {
      const at = spare.indexOf(most)
      sizes[at] = (sizes[at] ?? 0) - 1
      continue
    }
    const last = sizes.findLastIndex((size) => size > 0)
    if (last <= 0) {
      sizes[0] = Math.max(1, width)
      return sizes
    }
    sizes[last] = 0
    // What the one that is left out had is for the others.
    for (let i = 0; i < last; i += 1) {
      const room = width - total()
      if (room > 0) sizes[i] = Math.min(wanted[i] ?? 0, (sizes[i] ?? 0) + room)
    }
  }
}

/** Nothing that a program or a user has written may move the cursor of whoever looks at a list of it. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
}

function padded(text: string, size: number): string {
  return text + ' '.repeat(Math.max(0, size - widthOf(text)))
}

function cut(text: string, size: number): string {
  if (widthOf(text) <= size) return text
  let made = ''
  let used = 1
  for (const character of text) {
    const more = widthOf(character)
    if (used + more > size) break
    made += character
    used += more
  }
  return `${made}…`
}

/** Columns of a terminal: East Asian characters and pictures take two, marks that combine none. */
function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue
    width += WIDE.test(character) ? 2 : 1
  }
  return width
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
