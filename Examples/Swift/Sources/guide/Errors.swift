// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble

enum ParseError: Error, Codable, Equatable {
  case notANumber(String)
}

struct Unlucky: Error {}

func parseNumber(_ text: String) throws -> Int {
  if text == "13" { throw Unlucky() }
  if text == "exit" { exit(7) }
  guard let number = Int(text) else { throw ParseError.notANumber(text) }
  return [10, 20, 30][number]
}

func outcome(of text: String, in pool: ProcessPool) async -> String {
  do {
    return "\(try await pool.schedule(#process(parseNumber), text, timeout: .seconds(5)).value)"
  } catch ParseError.notANumber(let text) {
    return "not a number: \(text)"  // Codable: what was thrown, as the same type
  } catch let error as RemoteError {
    return "threw \(error.typeName)"  // any other type: its name and description
  } catch let error as TimeoutError {
    return "over a limit: \(error.limit)"
  } catch let error as ProcessExpired {
    if let code = error.exitCode { return "exited with \(code)" }
    return "died of \(error.signal ?? "?")"  // error.reason and error.backtrace tell why and where
  } catch is CancellationError {
    return "cancelled"
  } catch {
    return "never began: \(error)"  // a PebbleError
  }
}

func errors() async throws {
  try await withProcessPool(.init(maxWorkers: 1, standardError: .discard)) { pool in
    for text in ["1", "one", "13", "exit", "99"] {
      print("\(text):", await outcome(of: text, in: pool))
    }
  }
}
