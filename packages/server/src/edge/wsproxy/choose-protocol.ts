import { BinaryProtocol } from './binary-protocol.ts'
import type { Protocol } from './protocol.ts'
import { STREAM_PROTOCOL, StreamProtocol } from './stream-protocol.ts'

/** Clients that offer protocols fail when none comes back. Ours is spoken only to those that know it. */
export function chooseProtocol(offered: ReadonlySet<string>): string | false {
  return [STREAM_PROTOCOL, 'binary'].find((one) => offered.has(one)) ?? false
}

export function protocolFor(name: string, tty: boolean): Protocol {
  return name === STREAM_PROTOCOL ? new StreamProtocol(tty) : new BinaryProtocol(tty)
}
