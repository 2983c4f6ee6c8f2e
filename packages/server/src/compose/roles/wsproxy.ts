/** `zund wsproxy`: terminals, at a port of their own. */
import { listening } from '../listening.ts'
import { composeTerminals } from '../terminals.ts'
import { ownCertificate, watchedTls } from '../tls.ts'
import { terminalTls } from '../tls-places.ts'
import type { RoleDeps } from './role.ts'
import { composeDialer, hostAccess, joinControlPlane } from './shared-control-plane.ts'

export async function startWsproxy(deps: RoleDeps): Promise<void> {
  const { config, log, life } = deps
  const certificate = ownCertificate({ directory: config.tlsDirectory, part: {} }, life, log)
  const parts = await joinControlPlane('wsproxy', deps)
  const { store, tickets } = parts
  const dialer = composeDialer(hostAccess(parts, certificate))
  const tls = watchedTls(terminalTls(config), life, log)
  const { server } = composeTerminals({ config, log, store, tickets, dialer, tls })
  const { wsproxyHost: host, wsproxyPort: port } = config
  await listening(() => server.start(), host, port, '[websocket_proxy] wsproxy_port')
  life.onStop(() => server.stop())
}
