import DiffusionImages
import DiffusionModels
import TensorCore

extension CLIPModel {
  /// A label and how likely it is.
  public struct Ranked: Sendable, Equatable, Codable {
    /// The label.
    public let label: String
    /// Its share, all labels' together 1.
    public let probability: Double
    /// The cosine of picture and label.
    public let similarity: Double
  }

  /// Labels by how well they go with a picture, the likeliest first: the softmax of the scaled cosines (Radford et al. 2021,
  /// section 3.1).
  ///
  /// - Parameters:
  ///   - labels: one or more, none twice.
  ///   - templates: sentences with `{}` where a label goes; a label's vector is the mean of all of them (section 3.1.4).
  public func classify(
    _ image: Image, labels: [String], templates: [String] = ["a photo of a {}"]
  ) throws(PipelineError) -> [Ranked] {
    guard !labels.isEmpty, Set(labels).count == labels.count else {
      throw .request(part: "labels", problem: "expected one or more, none of them twice")
    }
    for template in templates where !template.contains("{}") {
      throw .request(part: "template", problem: "expected {} in \"\(template)\"")
    }
    let vectors = labels.map { label in
      let sentences = templates.map { $0.replacing("{}", with: label) }
      return embedded(texts: sentences).mean(axes: [0], keepingDimensions: true)
    }
    let texts = CLIPPair.normalized(Tensor.concatenated(vectors, axis: 0))
    let picture = embedded(pictures: [image])
    let probabilities = pair.logits(pictures: picture, texts: texts).softmax(axis: 1).doubles
    let similarities = picture.matmul(texts, transposeB: true).doubles
    return labels.indices.map {
      Ranked(
        label: labels[$0], probability: probabilities[$0], similarity: similarities[$0])
    }.sorted { ($0.probability, $1.label) > ($1.probability, $0.label) }
  }
}
