/** `npm run docs`: writes the generated files in config/. */
import { writeFile } from 'node:fs/promises'
import { generatedFiles } from './generated-files.js'

for (const { path, content } of await generatedFiles()) await writeFile(path, content)
