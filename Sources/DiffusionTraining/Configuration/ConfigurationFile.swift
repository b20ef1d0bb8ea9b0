import Foundation

/// A configuration: a `Codable` struct whose defaults are those of `init()`, and which can say whether it works.
public protocol Configuration: Codable, Sendable, Equatable {
  /// All defaults.
  init()

  /// Refuses values that cannot work, by key and problem.
  func validate() throws(InvalidSetting)
}

/// A value that is of the right kind and still cannot work.
public struct InvalidSetting: Error, Sendable, Equatable {
  /// The dotted path of the key.
  public let key: String
  /// What was expected and found.
  public let problem: String

  /// A problem at a key.
  public init(_ key: String, _ problem: String) {
    self.key = key
    self.problem = problem
  }
}

extension Configuration {
  /// Reads a JSON file. Keys are in snake case, absent ones take their defaults, and an unknown one is refused with
  /// the nearest known one.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - settings: `key=value` pairs that go over the file's, keys as dotted paths (`training.optimizer.beta1=0.8`);
  ///     a value is read as JSON where it is JSON, else as text.
  ///   - defaults: what absent keys take.
  public init(
    path: String, settings: [String] = [], over defaults: Self = Self()
  ) throws(TrainingError) {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      let reason = FileManager.default.fileExists(atPath: path) ? "unreadable" : "no such file"
      throw .unreadableConfiguration(path: path, reason: reason)
    }
    try self.init(json: data, source: path, settings: settings, over: defaults)
  }

  /// Reads a JSON document; `source` is what messages call it.
  public init(
    json: Data, source: String, settings: [String] = [], over defaults: Self = Self()
  ) throws(TrainingError) {
    var tree: JSONValue
    do {
      tree = try JSONValue(parsing: json)
    } catch {
      throw .unreadableConfiguration(path: source, reason: Self.syntaxProblem(error))
    }
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else { throw .malformedSetting(setting) }
      let path = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      tree = tree.setting(path[...], to: JSONValue(argument: String(parts[1])))
    }
    do {
      let defaults = try JSONValue(encoding: defaults)
      self = try StrictDecoder.decode(Self.self, from: defaults.overlaid(with: tree))
      try validate()
    } catch let fault as ConfigurationFault {
      throw .configuration(source: source, key: fault.key, problem: fault.problem)
    } catch let invalid as InvalidSetting {
      throw .configuration(source: source, key: invalid.key, problem: invalid.problem)
    } catch {
      throw .configuration(source: source, key: "", problem: "\(error)")
    }
  }

  /// The whole configuration as one JSON document, keys in snake case and sorted.
  public func json() -> String {
    guard let data = try? JSONValue.encoder.encode(self) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
  }

  private static func syntaxProblem(_ error: any Error) -> String {
    guard case DecodingError.dataCorrupted(let context) = error else { return "no JSON" }
    let detail = (context.underlyingError as NSError?)?.userInfo[NSDebugDescriptionErrorKey]
    return "no JSON: \(detail ?? context.debugDescription)"
  }
}
