import type { ControlPlane } from '../../orchestration/ports/control-plane.ts'
import { answerLinkCall, linkOver } from '../../orchestration/ports/link.ts'

/**
 * The link within one process. It really serialises and validates, so that a value which would not survive the wire
 * fails on a laptop too.
 */
export function localLink(end: ControlPlane): ControlPlane {
  return linkOver(async (call, request, o) => carried(await answerLinkCall(end, call, carried(request), o)))
}

function carried(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown
}
