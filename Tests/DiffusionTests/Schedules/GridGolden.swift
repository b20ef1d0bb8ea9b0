import Diffusion
import Foundation
import TensorCheckpoints
import TestSupport

/// What Tests/Golden/make_grids.py wrote.
enum GridGolden {
  struct Case: Decodable, Sendable, CustomStringConvertible {
    let key: String
    let steps: Int
    let scheduler: ProcessConfiguration
    let isDynamic: Bool
    let description: String

    enum CodingKeys: String, CodingKey { case key, steps, scheduler }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      key = try values.decode(String.self, forKey: .key)
      steps = try values.decode(Int.self, forKey: .steps)
      scheduler = try values.decode(ProcessConfiguration.self, forKey: .scheduler)
      isDynamic = scheduler.sampling.shiftsDynamically == true
      description = "\(key) \(scheduler.sampling.className ?? "") \(steps)"
    }
  }

  static let file = try? SafetensorsFile(
    path: Shared.golden.appendingPathComponent("grids.safetensors").path)

  static let cases: [Case] = {
    let text = file?.metadata["cases"] ?? "[]"
    return (try? JSONDecoder().decode([Case].self, from: Data(text.utf8))) ?? []
  }()

  static func values(_ name: String) throws -> [Double] {
    guard let file else { return [] }
    return try file.tensor(named: name).doubles
  }
}
