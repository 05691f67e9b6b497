/** Rules on the text of every file, code or not. What is searched for is put together from parts: this file is searched too. */

import type { Rule, Violation } from './rule.ts'
import type { SourceFile } from '../source-files.ts'

function search(files: readonly SourceFile[], pattern: RegExp, advice: string): Violation[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .map((line, index) => ({ path, line: index + 1, found: pattern.exec(line)?.[0] }))
      .filter(({ found }) => found !== undefined)
      .map(({ found, ...place }) => ({ ...place, what: `“${found?.trim()}”: ${advice}` })),
  )
}

const slash = '/'
const workFolder = `${slash}work${slash}`

export const machinePaths: Rule = {
  name: 'no paths of one machine',
  reason: 'A path that exists on one machine makes everything that names it run there only.',
  check: (files) =>
    search(files, /(?<![\w.$}\-)])\/(work|home|root)\/\S*/, 'name it relative to the root, or take it from a setting'),
  violating: [
    { files: { 'docs/start.md': `\ncd ${workFolder}cauce` }, at: ['docs/start.md:2'] },
    { files: { 'kit/a.ts': `const home = '${slash}home${slash}ana'` }, at: ['kit/a.ts:1'] },
  ],
  passing: [
    {
      'kit/a.ts': `const url = 'https://example.com${slash}home${slash}page'\nconst path = \`\${base}${workFolder}x\``,
    },
    { 'docs/start.md': `cd ~/cauce\n/usr/lib/postgresql/15/bin\nsrc${workFolder}x` },
  ],
}

const hosts = [
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['npm', 'pkg', 'github', 'com'],
  ['deb', 'debian', 'org'],
  ['security', 'debian', 'org'],
  ['pypi', 'org'],
  ['proxy', 'golang', 'org'],
].map((parts) => parts.join('.'))

export const registryHosts: Rule = {
  name: 'no registry hosts',
  reason: 'Packages come by name from whatever registry the machine is set up for; a recorded host ties them to one.',
  check: (files) => [
    ...search(files, new RegExp(hosts.join('|').replaceAll('.', '\\.'), 'i'), 'name the package only'),
    ...search(
      files.filter(({ path }) => path.endsWith('package-lock.json')),
      /"resolved": "(https?|git)[^"]*/,
      'the lockfile records an address: .npmrc has omit-lockfile-registry-resolved',
    ),
  ],
  violating: [
    { files: { 'README.md': `npm i --registry https://${hosts[0]}` }, at: ['README.md:1'] },
    {
      files: { 'package-lock.json': `{\n"resolved": "https://packages.example/a.tgz"\n}` },
      at: ['package-lock.json:2'],
    },
  ],
  passing: [
    { 'package-lock.json': `{ "resolved": "kit", "link": true }`, 'README.md': 'npm install, apt-get install' },
  ],
}

const session = ['sess', 'ion'].join('')
const prompt = ['pro', 'mpt'].join('')
const processWords = `\\.\\.${slash}shared|this ${session}|the ${prompt}(?!s|ly|ness)`

export const processLanguage: Rule = {
  name: 'no words about how the work was done',
  reason: 'A reader wants to know what the product is, not who was told what while it was written.',
  check: (files) => search(files, new RegExp(processWords, 'i'), 'say it about the product, or leave it out'),
  violating: [
    { files: { 'docs/a.md': `see ..${slash}shared${slash}design.md` }, at: ['docs/a.md:1'] },
    { files: { 'kit/a.ts': `// as asked in the ${prompt}` }, at: ['kit/a.ts:1'] },
    { files: { 'kit/a.ts': `\n// added in This ${session}` }, at: ['kit/a.ts:2'] },
  ],
  passing: [{ 'kit/a.ts': '// the session of a connection, a prompt answer', 'docs/a.md': 'This makes it prompt.' }],
}
