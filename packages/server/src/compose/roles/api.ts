/** `zund api`: the API, and the end of the link that hosts speak to. */
import { HttpsHostGateway } from '../../adapters/streams/https-host-gateway.ts'
import { AgentApiServer } from '../../edge/agent-api/agent-api-server.ts'
import { composeApi } from '../api.ts'
import { baseUrl } from '../base-url.ts'
import { checkpointedStore } from '../checkpointed-store.ts'
import { passwordsOf, writeCloudsFile } from '../clouds-file.ts'
import { composeCloud } from '../cloud.ts'
import { usesKeystone } from '../config/check-logins.ts'
import { composeConductor } from '../conductor.ts'
import { composeLinkEnd, openSecrets } from '../control-plane.ts'
import { composeIdentity } from '../identity.ts'
import { listening } from '../listening.ts'
import { policyPlaces } from '../policy-places.ts'
import { composeRegistries } from '../registries.ts'
import { composeTerminals } from '../terminals.ts'
import { ownCertificate, watchedTls } from '../tls.ts'
import { apiTls } from '../tls-places.ts'
import type { RoleDeps } from './role.ts'
import { composeDialer, hostAccess, joinControlPlane } from './shared-control-plane.ts'

/** Milliseconds for a call to a host, beyond what the host gives its engine. */
const ON_THE_WAY_MS = 5_000

export async function startApi(deps: RoleDeps): Promise<void> {
  const { config, state, configDirs, log, checkpoint, life } = deps
  const certificate = ownCertificate({ directory: config.tlsDirectory, part: {} }, life, log)
  const parts = await joinControlPlane('api', deps)
  const { database, store, doorbell, tickets } = parts
  const secrets = await openSecrets(parts, deps)
  const passwords = usesKeystone(config) ? new Map<string, string>() : passwordsOf(state)
  const { identity, logins, close } = await composeIdentity({ config, database, passwords, life, log })
  life.onStop(close)
  if (logins !== undefined) writeCloudsFile(state, `${baseUrl(config)}/identity`, passwords)
  const cloud = composeCloud(config, life, log)
  life.onStop(() => cloud?.close())
  if (config.conductorInApi) await life.start(...composeConductor({ ...parts, config, log, cloud }))

  const link = new AgentApiServer({
    end: composeLinkEnd({ ...parts, config, log, secrets }),
    log,
    options: { host: config.linkHostIp, port: config.linkPort, tls: certificate.current() },
  })
  certificate.onChange((tls) => link.renew(tls))
  await listening(() => link.start(), config.linkHostIp, config.linkPort, '[zund] link_port')
  life.onStop(() => link.stop())

  const access = hostAccess(parts, certificate)
  const hosts = new HttpsHostGateway({ ...access, callTimeoutMs: config.dockerTimeout * 1000 + ON_THE_WAY_MS })
  life.onStop(() => hosts.close())
  const dialer = composeDialer(access)
  // At the API's own address, beside those at the proxy's.
  const terminals = composeTerminals({ config, log, store, tickets, dialer }).proxy
  const api = composeApi({
    config,
    rules: policyPlaces(config, [...configDirs, state.path]),
    log,
    store: checkpointedStore(store, checkpoint),
    doorbell,
    identity,
    logins,
    tickets,
    registry: composeRegistries(config).client,
    cloud,
    secrets,
    terminals,
    dialer,
    tls: watchedTls(apiTls(config), life, log),
    gateway: hosts.gateway,
  })
  const { apiHostIp: host, apiPort: port } = config
  await listening(() => api.listen({ host, port }), host, port, '[api] port')
  // Terminals at the API's port are told before it closes.
  life.onStop(async () => {
    await terminals.stop()
    await api.close()
  })
}
