/** `[pci] passthrough_whitelist`: which devices of a host may be given away, and what is to be known of them. */

export interface WhitelistEntry {
  /** Property → pattern that its value must match. */
  readonly address: RegExp | null
  readonly devname: string | null
  readonly vendorId: string | null
  readonly productId: string | null
  readonly tags: Readonly<Record<string, string>>
}

/** What can be known of a device before the list is asked. */
export interface FoundDevice {
  readonly address: string
  readonly vendorId: string
  readonly productId: string
  readonly parentAddress: string | null
  /** Network interfaces of the host that it has. */
  readonly devnames: readonly string[]
}

/** One value of the option: an object, or a list of them. Throws an Error that says what is wrong. */
export function parseWhitelist(text: string): WhitelistEntry[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error(`'${text}' is not JSON`)
  }
  return (Array.isArray(value) ? value : [value]).map(parseEntry)
}

/** Tags of the first entry that allows the device; undefined: none does. */
export function tagsOf(device: FoundDevice, entries: readonly WhitelistEntry[]): WhitelistEntry['tags'] | undefined {
  return entries.find((entry) => allows(entry, device))?.tags
}

function allows(entry: WhitelistEntry, device: FoundDevice): boolean {
  const { address, devname, vendorId, productId } = entry
  if (vendorId !== null && vendorId !== device.vendorId) return false
  if (productId !== null && productId !== device.productId) return false
  if (devname !== null && !device.devnames.includes(devname)) return false
  if (address === null) return true
  // Who names a card means its functions too.
  return address.test(device.address) || (device.parentAddress !== null && address.test(device.parentAddress))
}

function parseEntry(value: unknown): WhitelistEntry {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('an entry is not an object')
  const { address, devname, vendor_id: vendor, product_id: product, ...tags } = value as Record<string, unknown>
  if (address !== undefined && devname !== undefined) throw new Error('an entry has both address and devname')
  return {
    address: address === undefined ? null : parseAddress(address),
    devname: devname === undefined ? null : textOf('devname', devname),
    vendorId: hexOf('vendor_id', vendor),
    productId: hexOf('product_id', product),
    tags: Object.fromEntries(Object.entries(tags).map(([name, tag]) => [name, textOf(name, tag)])),
  }
}

function hexOf(name: string, value: unknown): string | null {
  if (value === undefined || value === '*') return null
  const text = textOf(name, value).toLowerCase()
  if (!/^[0-9a-f]{4}$/.test(text)) throw new Error(`${name} '${text}' is not four hexadecimal digits`)
  return text
}

const PARTS = ['domain', 'bus', 'slot', 'function'] as const
const DIGITS = { domain: 4, bus: 2, slot: 2, function: 1 } as const

/** `domain:bus:slot.function` with `*` for any, its end may be left out; or an object with a regular expression a part. */
function parseAddress(value: unknown): RegExp {
  if (typeof value === 'string') {
    const match = /^(?:([0-9a-f]{1,4}|\*):)?([0-9a-f]{1,2}|\*):([0-9a-f]{1,2}|\*)(?:\.([0-7]|\*))?$/i.exec(value)
    if (match === null) throw new Error(`address '${value}' is not domain:bus:slot.function`)
    const patterns = PARTS.map((part, i) => {
      const given = match[i + 1] ?? (part === 'domain' ? '0' : '*')
      return given === '*' ? `[0-9a-f]{${DIGITS[part]}}` : given.toLowerCase().padStart(DIGITS[part], '0')
    })
    return addressPattern(patterns)
  }
  if (typeof value !== 'object' || value === null) throw new Error('address is neither a text nor an object')
  const given = value as Record<string, unknown>
  const stranger = Object.keys(given).find((name) => !PARTS.some((part) => part === name))
  if (stranger !== undefined) throw new Error(`address has an unknown part '${stranger}'`)
  return addressPattern(PARTS.map((part) => `(?:${textOf(part, given[part] ?? '.*')})`))
}

function addressPattern([domain, bus, slot, fn]: readonly string[]): RegExp {
  try {
    return new RegExp(`^${domain}:${bus}:${slot}\\.${fn}$`)
  } catch {
    throw new Error('address has a part that is no regular expression')
  }
}

function textOf(name: string, value: unknown): string {
  if (typeof value !== 'string') throw new Error(`${name} is not a text`)
  return value
}
