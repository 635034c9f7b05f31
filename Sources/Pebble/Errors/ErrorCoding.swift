// SPDX-License-Identifier: Apache-2.0

/// How a thrown error crosses the process boundary: always its type's name and description, and where it was thrown as
/// far as that is known; the error itself as well when it is `Codable` and its type can be found by name.
enum ErrorCoding {
  private enum Form: UInt8 {
    case described, encoded, cancellation
  }

  static func encode(_ error: any Error, into bytes: Payload) {
    let remote = error as? RemoteError
    write(remote?.typeName ?? String(reflecting: type(of: error)), to: bytes)
    write(remote?.description ?? String(describing: error), to: bytes)
    write(remote?.backtrace?.bytes ?? ErrorBox(error).throwSite, to: bytes)
    if error is CancellationError {
      write(Form.cancellation.rawValue, to: bytes)
    } else if let (name, encoded) = findable(error) {
      write(Form.encoded.rawValue, to: bytes)
      write(name, to: bytes)
      encoded.withBytes(bytes.append(raw:))
    } else {
      write(Form.described.rawValue, to: bytes)
    }
  }

  /// Of values that can always be encoded.
  private static func write<T: Encodable>(_ value: T, to bytes: Payload) {
    try! bytes.append(value)
  }

  /// The error in bytes, with a name by which its type can be found again. Types that are private or local have none:
  /// an address stands in theirs.
  private static func findable(_ error: any Error) -> (name: String, bytes: Payload)? {
    guard let error = error as? any Error & Codable, let name = _mangledTypeName(type(of: error)),
      !name.contains("$"), _typeByName(name) == type(of: error)
    else { return nil }
    let bytes = Payload()
    guard (try? bytes.append(error)) != nil else { return nil }
    return (name, bytes)
  }

  /// The error, or a `RemoteError` in its place. Throws when the bytes are not those of an error.
  static func decode(_ bytes: UnsafeRawBufferPointer) throws -> any Error {
    let decoder = BinaryDecoder(bytes)
    let typeName = try decoder.decode(String.self)
    let description = try decoder.decode(String.self)
    let backtrace = RemoteBacktrace(decoding: try decoder.decode([UInt8].self))
    let error = try decode(decoder, RemoteError(typeName: typeName, description: description, backtrace: backtrace))
    if let backtrace { RemoteThrows.add(error, backtrace) }
    return error
  }

  private static func decode(_ decoder: BinaryDecoder, _ remote: RemoteError) throws -> any Error {
    switch Form(rawValue: try decoder.decode(UInt8.self)) {
    case .cancellation:
      return CancellationError()
    case .encoded:
      let name = try decoder.decode(String.self)
      guard let type = _typeByName(name) as? any (Error & Codable).Type else { return remote }
      return (try? decoder.decode(type)) ?? remote
    case .described, nil:
      return remote
    }
  }
}
