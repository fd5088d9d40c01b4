// Reads JSON lines, each a YAML text; answers each with a JSON line {reader: documents or null}. A document is a list of
// [JSON Pointer, kind, text], one for each value that is no collection; kind is "text" for a string. Needs the package `yaml`.
const { createInterface } = require('node:readline')
const { parseAllDocuments, isMap, isSeq, isAlias, isScalar } = require('yaml')

const escape = step => String(step).replaceAll('~', '~0').replaceAll('/', '~1')

function walk (node, path, leaves) {
  if (isMap(node)) for (const { key, value } of node.items) walk(value, `${path}/${escape(isScalar(key) ? key.source ?? '' : '')}`, leaves)
  else if (isSeq(node)) node.items.forEach((item, index) => walk(item, `${path}/${index}`, leaves))
  else if (isAlias(node)) leaves.push([path, 'alias', node.source])
  else if (isScalar(node) && typeof node.value === 'string') leaves.push([path, 'text', node.value])
  else leaves.push([path, typeof node?.value, String(node?.source ?? '')])
  return leaves
}

function read (text, version) {
  try {
    const documents = parseAllDocuments(text, { version, logLevel: 'silent', uniqueKeys: false })
    return documents.some(one => one.errors.length) ? null : documents.map(one => walk(one.contents, '', []))
  } catch {
    return null
  }
}

createInterface({ input: process.stdin }).on('line', line => {
  const text = JSON.parse(line)
  console.log(JSON.stringify({ 'npm yaml 1.1': read(text, '1.1'), 'npm yaml 1.2': read(text, '1.2') }))
})
