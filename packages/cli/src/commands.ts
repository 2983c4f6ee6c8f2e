/** Names of the commands; what they are is loaded when one is called. */
import type { Command } from './args/command.ts'

type Load = () => Promise<Command>

interface Entry {
  readonly about: string
  readonly aliases?: readonly string[]
  readonly load: Load
}

const verb =
  (name: string): Load =>
  async () =>
    (await import('./commands/verbs.ts')).verb(name)

export const COMMANDS: Readonly<Record<string, Entry>> = {
  run: { about: 'make a container and start it', load: async () => (await import('./commands/run.ts')).run },
  create: { about: 'make a container', load: async () => (await import('./commands/create.ts')).create },
  ps: { about: 'list containers', aliases: ['ls'], load: async () => (await import('./commands/ps.ts')).ps },
  inspect: {
    about: 'show all there is to know of containers',
    aliases: ['show'],
    load: async () => (await import('./commands/inspect.ts')).inspect,
  },
  logs: { about: 'show what a container has written', load: async () => (await import('./commands/logs.ts')).logs },
  exec: { about: 'run a command in a container', load: async () => (await import('./commands/exec.ts')).exec },
  attach: {
    about: 'talk to the program of a container',
    load: async () => (await import('./commands/attach.ts')).attach,
  },
  cp: { about: 'copy files to and from a container', load: async () => (await import('./commands/cp.ts')).cp },
  stats: { about: 'show what containers use', load: async () => (await import('./commands/stats.ts')).stats },
  top: { about: 'list the processes of a container', load: async () => (await import('./commands/top.ts')).top },
  events: { about: 'show what happens', load: async () => (await import('./commands/events.ts')).events },
  wait: { about: 'wait until containers end', load: async () => (await import('./commands/wait.ts')).wait },
  start: { about: 'start containers', load: verb('start') },
  stop: { about: 'stop containers', load: verb('stop') },
  restart: { about: 'stop containers and start them again', load: verb('restart') },
  kill: { about: 'send a signal to containers', load: verb('kill') },
  pause: { about: 'freeze containers', load: verb('pause') },
  unpause: { about: 'let paused containers go on', load: verb('unpause') },
  rename: { about: 'give a container another name', load: verb('rename') },
  rm: { about: 'delete containers', load: verb('rm') },
  commit: { about: 'make an image of a container', load: async () => (await import('./commands/images.ts')).commit },
  images: { about: 'list images', load: async () => (await import('./commands/images.ts')).images },
  pull: { about: 'bring an image to a host', load: async () => (await import('./commands/images.ts')).pull },
  'capsule apply': {
    about: 'make a capsule as a file says',
    load: async () => (await import('./commands/capsule.ts')).apply,
  },
  'capsule ls': { about: 'list capsules', load: async () => (await import('./commands/capsule.ts')).list },
  'capsule show': { about: 'show a capsule', load: async () => (await import('./commands/capsule.ts')).show },
  'capsule rm': { about: 'delete capsules', load: async () => (await import('./commands/capsule.ts')).remove },
  completion: {
    about: 'print what makes a shell complete these commands',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
  'login check': { about: 'log in, and say as whom', load: async () => (await import('./commands/login.ts')).check },
  version: {
    about: 'show the versions of client and service',
    load: async () => (await import('./commands/login.ts')).version,
  },
}

export interface Found {
  readonly name: string
  readonly rest: readonly string[]
  readonly load: Load | undefined
}

export function find([first = '', ...rest]: readonly string[]): Found {
  if (first === '-h' || first === '--help') return { name: 'help', rest: [], load: undefined }
  const two = `${first} ${rest[0] ?? ''}`
  if (Object.hasOwn(COMMANDS, two)) return { name: two, rest: rest.slice(1), load: COMMANDS[two]?.load }
  const entry = Object.hasOwn(COMMANDS, first)
    ? COMMANDS[first]
    : Object.values(COMMANDS).find(({ aliases = [] }) => aliases.includes(first))
  const hasMore = Object.keys(COMMANDS).some((name) => name.startsWith(`${first} `))
  return { name: entry === undefined && hasMore ? two.trimEnd() : first, rest, load: entry?.load }
}

export function overview(): string {
  const lines = Object.entries(COMMANDS).map(([name, { about }]) => `  ${name.padEnd(14)}${about}`)
  return [
    'Usage: zund COMMAND [OPTIONS]',
    '',
    'Containers:',
    '',
    ...lines,
    '',
    'zund COMMAND --help tells more about each.',
  ].join('\n')
}
