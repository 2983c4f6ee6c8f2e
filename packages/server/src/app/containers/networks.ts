import type { AttachedAddress, AttachedNetworks, AttachedPort } from '@zund/contract/api/live.ts'
import ipaddr from 'ipaddr.js'
import { portIdOf } from '../../domain/container/addresses.ts'
import type { Binding, Container } from '../../domain/container/types.ts'
import { InvalidInput } from '../../domain/errors.ts'
import type { RequestContext } from '../context.ts'
import { acceptOn } from './act.ts'
import type { ContainerDeps } from './deps.ts'
import { findAuthorized, requireStatus } from './find.ts'
import { planNetworks } from './networks-of-request.ts'

export interface AttachRequest {
  readonly network: string | undefined
  readonly port: string | undefined
  readonly fixedIp: string | undefined
}

export async function attachNetwork(
  deps: ContainerDeps,
  ctx: RequestContext,
  ident: string,
  request: AttachRequest,
): Promise<void> {
  if (request.network !== undefined && request.port !== undefined) {
    throw new InvalidInput("Only one of 'network' and 'port' may be given.", 'invalid')
  }
  const fixed = request.fixedIp === undefined ? undefined : parseFixedIp(request.fixedIp)
  const found = await findAuthorized(deps, ctx, ident, 'container:network_attach')
  requireStatus(found, 'network_attach')
  const net = {
    network: request.network ?? null,
    port: request.port ?? null,
    ipv4: request.network !== undefined && fixed?.version === 4 ? fixed.address : null,
    ipv6: request.network !== undefined && fixed?.version === 6 ? fixed.address : null,
  }
  const planned = await planNetworks(deps, ctx, found.projectId, {
    nets: request.network === undefined && request.port === undefined ? [] : [net],
    // A group that opens ports is the container's own, and made for each of its ports anew if need be.
    securityGroups: found.spec.exposedPorts.length > 0 ? [] : found.spec.securityGroups,
    openPorts: found.spec.exposedPorts,
  })
  await acceptOn(deps, ctx, found, 'network_attach', async (tx, now) => {
    const existing = await tx.bindings.ofContainer(now.uuid)
    const firstOrder = Math.max(-1, ...existing.map(({ order }) => order)) + 1
    const ports = await planned.bindings(tx, { containerUuid: now.uuid, firstOrder })
    const [port] = ports
    if (port?.data.kind === 'port' && existing.some(isOn(port.data.networkId))) {
      throw new InvalidInput(`Container is already attached to network ${port.data.networkName}.`, 'invalid')
    }
    for (const binding of ports) await tx.bindings.insert(now.uuid, binding)
    return {
      verb: 'network_attach',
      params: { ports: ports.map((p) => p.uuid) },
    }
  })
}

export async function detachNetwork(
  deps: ContainerDeps,
  ctx: RequestContext,
  ident: string,
  request: { readonly network: string | undefined; readonly port: string | undefined },
): Promise<void> {
  if ((request.network === undefined) === (request.port === undefined)) {
    throw new InvalidInput("Exactly one of 'network' and 'port' must be given.", 'invalid')
  }
  const found = await findAuthorized(deps, ctx, ident, 'container:network_detach')
  requireStatus(found, 'network_detach')
  await acceptOn(deps, ctx, found, 'network_detach', async (tx, now) => {
    const wanted = request.network ?? request.port ?? ''
    const ports = (await tx.bindings.ofContainer(now.uuid)).filter(
      ({ uuid, data }) =>
        data.kind === 'port' &&
        (request.network === undefined
          ? portIdOf(uuid, data) === wanted.toLowerCase()
          : data.networkId === wanted.toLowerCase() || data.networkName === wanted),
    )
    if (ports.length === 0) throw new InvalidInput(`Container is not attached to ${wanted.slice(0, 255)}.`, 'invalid')
    return { verb: 'network_detach', params: { ports: ports.map((p) => p.uuid) } }
  })
}

/** `GET network_list`: one object per address up to 1.17, one per port from 1.18. */
export async function listNetworks(
  deps: ContainerDeps,
  ctx: RequestContext,
  ident: string,
): Promise<AttachedNetworks['networks']> {
  const found = await findAuthorized(deps, ctx, ident, 'container:get_one')
  return ctx.minor < 18 ? perAddress(found) : perPort(found)
}

function perAddress(container: Container): AttachedAddress[] {
  return Object.entries(container.addresses).flatMap(([net_id, list]) =>
    list.map((a) => ({
      net_id,
      subnet_id: a.subnet_id,
      port_id: a.port,
      version: a.version,
      ip_address: a.addr,
    })),
  )
}

function perPort(container: Container): AttachedPort[] {
  return Object.entries(container.addresses).flatMap(([net_id, list]) =>
    [...new Set(list.map((a) => a.port))].map((port_id) => ({
      net_id,
      port_id,
      fixed_ips: list
        .filter((a) => a.port === port_id)
        .map((a) => ({ subnet_id: a.subnet_id, version: a.version, ip_address: a.addr })),
    })),
  )
}

const isOn =
  (networkId: string) =>
  ({ data }: Binding): boolean =>
    data.kind === 'port' && data.networkId === networkId

function parseFixedIp(text: string): { address: string; version: 4 | 6 } {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return { address: text, version: 4 }
  if (ipaddr.IPv6.isValid(text)) return { address: text, version: 6 }
  throw new InvalidInput(
    `Invalid input for query parameters 'fixed_ip'. Value: '${text.slice(0, 64)}'. It is not an IP address`,
  )
}
