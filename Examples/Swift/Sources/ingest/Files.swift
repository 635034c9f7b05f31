// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Reads, parses and checks one document. This is the job: it knows nothing of processes.
func ingest(_ path: String) throws -> Summary {
  try summary(of: contents(ofFile: path))
}

private func contents(ofFile path: String) throws(InvalidDocument) -> [UInt8] {
  guard let file = fopen(path, "re") else { throw InvalidDocument("cannot be read: \(lastError())") }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  while feof(file) == 0 {
    bytes += [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
      count = fread(buffer.baseAddress, 1, buffer.count, file)
    }
    guard ferror(file) == 0 else { throw InvalidDocument("cannot be read: \(lastError())") }
  }
  return bytes
}

/// The names of the JSON documents in a folder, in order; nil when it cannot be read.
func documentNames(inFolder folder: String) -> [String]? {
  guard let directory = opendir(folder) else { return nil }
  defer { closedir(directory) }
  var names: [String] = []
  while let entry = readdir(directory) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    if name.hasSuffix(".json") { names.append(name) }
  }
  return names.sorted()
}

/// Without links; of a folder that has been read.
func absolutePath(of folder: String) -> String {
  let path = realpath(folder, nil)!
  defer { free(path) }
  return String(cString: path)
}

func lastError() -> String {
  String(cString: strerror(errno))
}
