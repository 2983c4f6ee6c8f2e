/** Text of a page, with everything in it escaped that came from elsewhere. */
export type Html = string

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Nothing, for what is not there. */
export function escaped(value: unknown): Html {
  if (value === undefined) return ''
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] ?? '')
}

export function code(value: unknown): Html {
  return `<code>${escaped(value)}</code>`
}

/** A sentence, in which what stands between backticks is code. */
export function prose(value: unknown): Html {
  return escaped(value).replaceAll(/`([^`]+)`/g, '<code>$1</code>')
}
