/** Canonical form of a uuid written in any usual way (no dashes, capitals, braces, urn); undefined when it is none. */
export function normaliseUuid(text: string): string | undefined {
  const bare = text.replace(/^urn:uuid:/i, '').replace(/^\{(.*)\}$/, '$1')
  const hex = bare.replaceAll('-', '').toLowerCase()
  if (!/^[0-9a-f]{32}$/.test(hex) || !/^[0-9a-fA-F-]{32,36}$/.test(bare)) return undefined
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
