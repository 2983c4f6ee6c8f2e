import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { OPENSTACK_TOOLS } from '../openstack/packages.ts'
import { run } from './run.ts'

/** What a suite may need of the machine beyond Node and npm packages. */
export type Need = 'engine' | 'client' | 'shells' | 'switch' | 'openstack'

export interface Tool {
  /** A program of it, or a file by its path. */
  readonly command: string
  /** Debian's package that has it. */
  readonly package: string
}

const TOOLS: Readonly<Record<Need, readonly Tool[]>> = {
  engine: [
    { command: 'dockerd', package: 'docker.io' },
    { command: 'iptables', package: 'iptables' },
    { command: 'ip', package: 'iproute2' },
    { command: 'mkfs.ext4', package: 'e2fsprogs' },
    { command: 'docker-registry', package: 'docker-registry' },
    { command: 'htpasswd', package: 'apache2-utils' },
    { command: 'openssl', package: 'openssl' },
  ],
  client: [
    { command: 'openstack', package: 'python3-openstackclient' },
    { command: 'zun', package: 'python3-zunclient' },
  ],
  shells: [
    { command: 'zsh', package: 'zsh' },
    { command: 'fish', package: 'fish' },
  ],
  switch: [
    { command: 'ovs-vswitchd', package: 'openvswitch-switch' },
    { command: 'ping', package: 'iputils-ping' },
  ],
  openstack: OPENSTACK_TOOLS,
}

const INSTALL_TIMEOUT_MS = 15 * 60_000

/** Installs the Debian packages that are missing; throws with one line when it may not or cannot. */
export async function installTools(root: string, needs: readonly Need[], o: { signal: AbortSignal }): Promise<void> {
  const missing = missingPackages(needs)
  if (missing.length === 0) return
  const wish = `the tests need ${missing.join(' ')}`
  if (process.getuid?.() !== 0) throw new Error(`${wish}: install them, or run as root to have it done`)
  if (!hasCommand('apt-get')) throw new Error(`${wish} (names of Debian's packages): install them by hand`)
  console.log(`zund: installing ${missing.join(' ')}`)
  const signal = AbortSignal.any([o.signal, AbortSignal.timeout(INSTALL_TIMEOUT_MS)])
  await run(['sh', join(root, 'tools/launcher/apt-install.sh'), '--no-start', ...missing], { signal })
}

/** A docker-ce from elsewhere has the command as well, and Debian's package would fight with it: commands decide. */
function missingPackages(needs: readonly Need[]): string[] {
  const tools = needs.flatMap((need) => TOOLS[need])
  const missing = tools.filter(({ command }) => !hasCommand(command)).map((tool) => tool.package)
  if ((needs.includes('engine') || needs.includes('openstack')) && staticBusybox() === undefined)
    missing.push('busybox-static')
  return [...new Set(missing)]
}

function hasCommand(name: string): boolean {
  return pathOf(name) !== undefined
}

function pathOf(name: string): string | undefined {
  // Root's tools are not in everybody's PATH.
  if (name.startsWith('/')) return existsSync(name) ? name : undefined
  const places = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin']
  return places.map((place) => join(place, name)).find((path) => isExecutable(path))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Path of a busybox that needs no library, so that it can be the whole of an image. */
export function staticBusybox(): string | undefined {
  const path = pathOf('busybox')
  return path !== undefined && !needsLoader(readFileSync(path)) ? path : undefined
}

/** Does this 64-bit ELF file have a PT_INTERP header, which names the dynamic loader? */
function needsLoader(elf: Buffer): boolean {
  const PT_INTERP = 3
  const table = Number(elf.readBigUInt64LE(32))
  const size = elf.readUInt16LE(54)
  const count = elf.readUInt16LE(56)
  for (let i = 0; i < count; i += 1) if (elf.readUInt32LE(table + i * size) === PT_INTERP) return true
  return false
}

/** May this process make a network namespace? Not in every sandbox. */
export function canUnshareNetwork(): boolean {
  return spawnSync('unshare', ['--net', 'true'], { stdio: 'ignore' }).status === 0
}
