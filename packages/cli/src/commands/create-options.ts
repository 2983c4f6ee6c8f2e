/** What `run` and `create` have in common: options, and the body they become. */
import { readFileSync } from 'node:fs'
import type { CreateContainer } from '@zund/client'
import type { Option } from '../args/command.ts'
import type { Parsed } from '../args/parse.ts'
import { codeOf, Misuse } from '../failures.ts'

export const CREATE_OPTIONS: Readonly<Record<string, Option>> = {
  name: { value: 'NAME', about: 'absent: one is made up' },
  interactive: { short: 'i', about: 'keep standard input open' },
  tty: { short: 't', about: 'give it a terminal' },
  env: { short: 'e', value: 'NAME[=VALUE]', many: true, about: 'environment; without a value: that of this shell' },
  'env-file': { value: 'FILE', many: true, about: 'lines NAME=VALUE' },
  volume: {
    short: 'v',
    value: 'NAME:/PATH',
    many: true,
    about: 'volume by name or uuid; SIZE:/PATH makes one of so many GiB',
  },
  file: { value: 'FILE:/PATH', many: true, about: 'put a file of this machine into the container, up to 1 MiB' },
  memory: { short: 'm', value: 'MIB', about: 'MiB, or with k, m or g behind it' },
  cpu: { value: 'CORES', number: 'any', about: 'cores, 0.5 for a half' },
  disk: { value: 'GIB', number: 'whole', about: 'GiB' },
  publish: { short: 'p', value: 'PORT[/PROTOCOL]', many: true, about: 'open a port to others' },
  net: { value: 'NETWORK', many: true, about: 'network by name or uuid, or port=UUID; ,v4-fixed-ip=ADDRESS behind it' },
  restart: { value: 'POLICY', about: 'no, always, unless-stopped, on-failure or on-failure:COUNT' },
  pull: {
    value: 'WHEN',
    choices: ['always', 'missing', 'ifnotpresent', 'never'],
    about: 'whether the image is pulled',
  },
  label: { short: 'l', value: 'NAME[=VALUE]', many: true, about: 'label' },
  workdir: { short: 'w', value: 'PATH', about: 'working directory' },
  entrypoint: { value: 'WORD', about: 'instead of that of the image' },
  hostname: { value: 'NAME', about: 'host name in it' },
  host: { value: 'HOST', about: 'the host it is to run on, for admins' },
  'availability-zone': { value: 'ZONE', about: 'zone of the host' },
  'security-group': { value: 'GROUP', many: true, about: 'security group by name or uuid' },
  privileged: { about: 'with all rights on the host, for admins' },
  runtime: { value: 'NAME', about: 'runtime of the engine' },
  registry: { value: 'NAME', about: 'private registry by name or uuid' },
  hint: { value: 'KEY=VALUE', many: true, about: 'for the scheduler' },
}

export function bodyOf(args: Parsed, env: Readonly<Record<string, string | undefined>>): CreateContainer {
  const [image = '', ...command] = args.operands
  return {
    image,
    ...(command.length > 0 ? { command } : {}),
    ...texts(args, {
      name: 'name',
      workdir: 'workdir',
      hostname: 'hostname',
      host: 'host',
      registry: 'registry',
      runtime: 'runtime',
      'availability-zone': 'availability_zone',
    }),
    ...(args.has('interactive') || args.has('tty') ? { interactive: args.has('interactive') } : {}),
    ...(args.has('tty') ? { tty: true } : {}),
    ...(args.has('env') || args.has('env-file') ? { environment: environment(args, env) } : {}),
    ...(args.has('label') ? { labels: Object.fromEntries(args.all('label').map((text) => pair(text))) } : {}),
    ...(args.has('volume') || args.has('file')
      ? { mounts: [...args.all('volume').map(volume), ...args.all('file').map(injected)] }
      : {}),
    ...(args.has('memory') ? { memory: memory(args.text('memory') ?? '') } : {}),
    ...(args.has('cpu') ? { cpu: args.number('cpu') ?? 0 } : {}),
    ...(args.has('disk') ? { disk: args.number('disk') ?? 0 } : {}),
    ...(args.has('publish')
      ? { exposed_ports: Object.fromEntries(args.all('publish').map((text) => [port(text), {}])) }
      : {}),
    ...(args.has('net') ? { nets: args.all('net').map(net) } : {}),
    ...(args.has('restart') ? { restart_policy: restart(args.text('restart') ?? '') } : {}),
    ...(args.has('pull') ? { image_pull_policy: pullPolicy(args.text('pull')) } : {}),
    ...(args.has('entrypoint') ? { entrypoint: [args.text('entrypoint') ?? ''] } : {}),
    ...(args.has('security-group') ? { security_groups: args.all('security-group') } : {}),
    ...(args.has('privileged') ? { privileged: true } : {}),
    ...(args.has('hint') ? { hints: Object.fromEntries(args.all('hint').map((text) => pair(text))) } : {}),
  }
}

function texts(args: Parsed, names: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(names).flatMap(([option, name]) => {
      const text = args.text(option)
      return text === undefined ? [] : [[name, text]]
    }),
  )
}

function environment(args: Parsed, env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const lines = args.all('env-file').flatMap((path) =>
    read('--env-file', path)
      .toString('utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#')),
  )
  const made: Record<string, string> = {}
  for (const text of [...lines, ...args.all('env')]) {
    const at = text.indexOf('=')
    if (at === 0) throw new Misuse(`--env is '${text}', and must begin with a name`)
    if (at > 0) made[text.slice(0, at)] = text.slice(at + 1)
    // As Docker: a name alone hands on what this shell has, and nothing if it has nothing.
    else if (env[text] !== undefined) made[text] = env[text]
  }
  return made
}

function pair(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function volume(text: string): { destination: string; source?: string; size?: number } {
  const at = text.indexOf(':/')
  if (at <= 0) throw new Misuse(`--volume is '${text}', and must be NAME:/PATH or SIZE:/PATH`)
  const [source, destination] = [text.slice(0, at), text.slice(at + 1)]
  return /^\d{1,6}$/.test(source) ? { size: Number(source), destination } : { source, destination }
}

function injected(text: string): { destination: string; source: string; type: string } {
  const at = text.lastIndexOf(':/')
  if (at <= 0) throw new Misuse(`--file is '${text}', and must be FILE:/PATH`)
  return { type: 'bind', source: read('--file', text.slice(0, at)).toString('base64'), destination: text.slice(at + 1) }
}

function read(option: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new Misuse(`${option}: ${path} cannot be read: ${codeOf(error)}`)
  }
}

export function memory(text: string): number {
  const [, number, unit = 'm'] = /^(\d{1,9})([kmg])?$/i.exec(text) ?? []
  if (number === undefined)
    throw new Misuse(`--memory is '${text}', and must be MiB, or a number with k, m or g behind it`)
  const factor = { k: 1 / 1024, m: 1, g: 1024 }[unit.toLowerCase()] ?? 1
  return Math.ceil(Number(number) * factor)
}

function port(text: string): string {
  if (/^\d{1,5}(\/(tcp|udp))?$/.test(text)) return text
  if (text.includes(':'))
    throw new Misuse(`--publish is '${text}': containers have addresses of their own, name only PORT`)
  throw new Misuse(`--publish is '${text}', and must be PORT, PORT/tcp or PORT/udp`)
}

function net(text: string): Record<string, string> {
  const parts = text.split(',').map((part) => (part.includes('=') ? pair(part) : (['network', part] as const)))
  const known = ['network', 'port', 'v4-fixed-ip', 'v6-fixed-ip']
  const stranger = parts.find(([key]) => !known.includes(key))
  if (stranger !== undefined) throw new Misuse(`--net has no key '${stranger[0]}'; there are ${known.join(', ')}`)
  return Object.fromEntries(parts)
}

function restart(text: string): {
  Name: 'no' | 'always' | 'on-failure' | 'unless-stopped'
  MaximumRetryCount?: number
} {
  const [, name, count] = /^(no|always|unless-stopped|on-failure)(?::(\d{1,9}))?$/.exec(text) ?? []
  if (name === 'on-failure') return { Name: name, ...(count === undefined ? {} : { MaximumRetryCount: Number(count) }) }
  if (count === undefined && (name === 'no' || name === 'always' || name === 'unless-stopped')) return { Name: name }
  throw new Misuse(`--restart is '${text}', and may be no, always, unless-stopped, on-failure or on-failure:COUNT`)
}

function pullPolicy(text: string | undefined): 'always' | 'ifnotpresent' | 'never' {
  return text === 'always' || text === 'never' ? text : 'ifnotpresent'
}
