import Diffusion
import DiffusionModels
import DiffusionPipelines
import Foundation
import TensorCore
import TestSupport
import Testing

/// The rows of `conformance/diffusers/seeded_slices.tsv` that are pixel pipelines: a network with PyTorch's
/// initialisation after `manual_seed(0)`, two steps, and a corner of the picture.
@Suite(.enabled(if: Shared.isPresent, Comment(rawValue: Shared.absence)))
struct SeededSliceTests {
  static func expected(_ suite: String) throws -> [Double] {
    let file = Shared.folder.appendingPathComponent("conformance/diffusers/seeded_slices.tsv")
    let rows = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    let row = try #require(rows.first { $0.contains("\t\(suite)\t") })
    let fields = row.split(separator: "\t", omittingEmptySubsequences: false)
    let numbers = fields[3].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
    return numbers.split(separator: ",").compactMap {
      Double($0.trimmingCharacters(in: .whitespaces))
    }
  }

  /// `image[0, -3:, -3:, -1]` with values brought to 0...1.
  static func corner(_ sampler: String) async throws -> [Double] {
    let pipeline = ImagePipeline(model: try SmallModel.unconditional())
    let pictures = try await pipeline.pictures(
      ImageRequest(classes: [nil], steps: 2, sampler: sampler, seed: 0))
    let corner = pictures.sliced(axis: 1, 5..<8).sliced(axis: 2, 5..<8).sliced(axis: 3, 2..<3)
    return corner.doubles.map { min(1, max(0, $0 / 2 + 0.5)) }
  }

  @Test(arguments: [
    ("DDPMPipelineFastTests", "ddpm"),
    ("DDIMPipelineFastTests", "ddim"),
  ])
  func cornerAgrees(_ suite: String, _ sampler: String) async throws {
    let expected = try Self.expected(suite)
    let found = try await Self.corner(sampler)
    #expect(expected.count == 9 && found.count == 9)
    for (value, wanted) in zip(found, expected) {
      #expect(abs(value - wanted) < 2e-4, "\(found), expected \(expected)")
    }
  }
}
