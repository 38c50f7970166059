#include "gatekeeper/policy/jmespath/parser.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gatekeeper/policy/jmespath/expression.h"
#include "gatekeeper/policy/jmespath/functions.h"
#include "gatekeeper/policy/jmespath/lexer.h"

namespace bootgate::gatekeeper::policy::jmespath {
namespace {

// How strongly a token binds to what stands before it (JMESPath's reference implementation).
constexpr int kBindsNothing = 0;
constexpr int kBindsPipe = 1;
constexpr int kBindsOr = 2;
constexpr int kBindsAnd = 3;
constexpr int kBindsCompare = 5;
constexpr int kBindsFlatten = 9;
constexpr int kEndsProjection = 10;  // what binds less ends the right side of a projection
constexpr int kBindsStar = 20;
constexpr int kBindsFilter = 21;
constexpr int kBindsDot = 40;
constexpr int kBindsNot = 45;
constexpr int kBindsBracket = 55;

int Binding(TokenKind kind) {
  switch (kind) {
    case TokenKind::kPipe:
      return kBindsPipe;
    case TokenKind::kOr:
      return kBindsOr;
    case TokenKind::kAnd:
      return kBindsAnd;
    case TokenKind::kEqual:
    case TokenKind::kNotEqual:
    case TokenKind::kLess:
    case TokenKind::kLessOrEqual:
    case TokenKind::kGreater:
    case TokenKind::kGreaterOrEqual:
      return kBindsCompare;
    case TokenKind::kFlatten:
      return kBindsFlatten;
    case TokenKind::kOpenFilter:
      return kBindsFilter;
    case TokenKind::kDot:
      return kBindsDot;
    case TokenKind::kOpenBracket:
      return kBindsBracket;
    default:
      return kBindsNothing;
  }
}

Comparator ComparatorOf(TokenKind kind) {
  switch (kind) {
    case TokenKind::kEqual:
      return Comparator::kEqual;
    case TokenKind::kNotEqual:
      return Comparator::kNotEqual;
    case TokenKind::kLess:
      return Comparator::kLess;
    case TokenKind::kLessOrEqual:
      return Comparator::kLessOrEqual;
    case TokenKind::kGreater:
      return Comparator::kGreater;
    default:
      return Comparator::kGreaterOrEqual;
  }
}

std::optional<json::Value> BareWord(absl::string_view name) {
  if (name == "true") return json::Value::Bool(true);
  if (name == "false") return json::Value::Bool(false);
  if (name == "null") return json::Value();
  return std::nullopt;
}

// What has been read of an expression so far: a node, or the parts of one that may still grow.
struct Operand {
  std::optional<NodeKind> growing;  // kChain, kPipe, kOr, kAnd with `parts`; else `node`
  NodeId node = 0;
  std::vector<NodeId> parts;
  uint32_t position = 0;
  bool bare = false;  // an unquoted name and nothing else
};

class Parser {
 public:
  Parser(Dialect dialect, json::Arena& arena, std::vector<Token> tokens)
      : dialect_(dialect), arena_(arena), tokens_(std::move(tokens)) {}

  std::variant<Tree, Error> Run();

 private:
  // All return false after Wrong().
  bool Expression(int binding, Operand* out);
  bool Whole(int binding, NodeId* out);  // an expression, finished
  bool First(Operand* out);
  bool FirstName(Operand* out);
  bool FirstBracket(Operand* out);
  bool FirstNot(Operand* out);
  bool FirstParen(Operand* out);
  bool FirstStar(Operand* out);
  bool More(Operand* left);
  bool MoreDot(Operand* left);
  bool MoreBracket(Operand* left);
  bool MoreCompare(Operand* left);
  bool MoreParts(NodeKind kind, int binding, Operand* left);
  bool CompareSide(Operand* side, NodeId* out);
  bool AfterDot(Operand* out);
  bool IndexOrSlice(Operand* left);
  bool SliceParts(Node* slice);
  bool Flatten(Operand* left);
  bool Filter(Operand* left);
  bool ListEach(Operand* left, int binding);
  bool ObjectEach(Operand* left);
  bool RightSide(int binding, NodeId* out);
  bool MultiList(Operand* out);
  bool MultiHash(Operand* out);
  bool HashMember(std::vector<absl::string_view>* names, std::vector<NodeId>* values);
  bool Call(Operand* out);
  bool Argument(NodeId* out);
  bool CheckCall(const Token& name, const Function* function, size_t count);

  const Token& Peek(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  bool Is(TokenKind kind) const { return Peek().kind == kind; }
  bool Take(TokenKind kind);
  bool Expect(TokenKind kind, absl::string_view what);
  bool Wrong(const Token& token, absl::string_view what);
  bool Unexpected();

  NodeId Add(Node node, absl::Span<const NodeId> children);
  bool Finish(const Operand& operand, NodeId* out);
  bool AddOperand(Node node, absl::Span<const NodeId> children, Operand* out);
  void Grow(NodeKind kind, NodeId part, NodeId first, Operand* left);
  static Node Made(NodeKind kind, uint32_t position);

  const Dialect dialect_;
  json::Arena& arena_;
  const std::vector<Token> tokens_;
  size_t at_ = 0;
  size_t nesting_ = 0;
  Tree tree_;
  std::vector<uint32_t> depths_;  // of each node
  Error error_;
};

bool Parser::Wrong(const Token& token, absl::string_view what) {
  error_ = {ErrorKind::kSyntax, token.position, std::string(what)};
  return false;
}

bool Parser::Unexpected() {
  return Wrong(Peek(), Is(TokenKind::kEnd) ? "the query ends where more is needed"
                                           : "this cannot stand here");
}

bool Parser::Take(TokenKind kind) {
  if (!Is(kind)) return false;
  ++at_;
  return true;
}

bool Parser::Expect(TokenKind kind, absl::string_view what) {
  if (Take(kind)) return true;
  return Wrong(Peek(), absl::StrCat("expected ", what));
}

Node Parser::Made(NodeKind kind, uint32_t position) {
  Node node;
  node.kind = kind;
  node.position = position;
  return node;
}

NodeId Parser::Add(Node node, absl::Span<const NodeId> children) {
  uint32_t depth = 0;
  for (const NodeId child : children) depth = std::max(depth, depths_[child]);
  node.first_child = static_cast<uint32_t>(tree_.children.size());
  node.child_count = static_cast<uint32_t>(children.size());
  tree_.children.insert(tree_.children.end(), children.begin(), children.end());
  tree_.nodes.push_back(node);
  depths_.push_back(depth + 1);
  return static_cast<NodeId>(tree_.nodes.size() - 1);
}

bool Parser::AddOperand(Node node, absl::Span<const NodeId> children, Operand* out) {
  const NodeId id = Add(node, children);
  *out = {};
  out->node = id;
  out->position = node.position;
  if (depths_[id] <= kMaxTreeDepth) return true;
  error_ = {ErrorKind::kSyntax, node.position, "nested too deeply"};
  return false;
}

// Makes the node of what has grown.
bool Parser::Finish(const Operand& operand, NodeId* out) {
  *out = operand.node;
  if (!operand.growing) return true;
  Operand made;
  if (!AddOperand(Made(*operand.growing, operand.position), operand.parts, &made)) return false;
  *out = made.node;
  return true;
}

// Adds `part`; what `left` was before is `first` when it was not growing this way already.
void Parser::Grow(NodeKind kind, NodeId part, NodeId first, Operand* left) {
  if (left->growing != kind) {
    left->parts = {first};
    left->growing = kind;
    left->bare = false;
  }
  left->parts.push_back(part);
}

bool Parser::Expression(int binding, Operand* out) {
  if (++nesting_ > kMaxNesting) return Wrong(Peek(), "nested too deeply");
  if (!First(out)) return false;
  while (Binding(Peek().kind) > binding) {
    if (!More(out)) return false;
  }
  --nesting_;
  return true;
}

bool Parser::Whole(int binding, NodeId* out) {
  Operand operand;
  return Expression(binding, &operand) && Finish(operand, out);
}

bool Parser::First(Operand* out) {
  const Token& token = Peek();
  switch (token.kind) {
    case TokenKind::kName:
    case TokenKind::kQuotedName:
      return FirstName(out);
    case TokenKind::kLiteral: {
      ++at_;
      Node node = Made(NodeKind::kLiteral, token.position);
      node.literal = token.literal;
      return AddOperand(node, {}, out);
    }
    case TokenKind::kCurrent:
      ++at_;
      return AddOperand(Made(NodeKind::kCurrent, token.position), {}, out);
    case TokenKind::kStar:
      return FirstStar(out);
    case TokenKind::kOpenFilter:
    case TokenKind::kFlatten:
      return AddOperand(Made(NodeKind::kCurrent, token.position), {}, out) && More(out);
    case TokenKind::kOpenBracket:
      return FirstBracket(out);
    case TokenKind::kOpenBrace:
      return MultiHash(out);
    case TokenKind::kNot:
      return FirstNot(out);
    case TokenKind::kOpenParen:
      return FirstParen(out);
    default:
      return Unexpected();
  }
}

bool Parser::FirstName(Operand* out) {
  const Token& token = Peek();
  if (Peek(1).kind == TokenKind::kOpenParen) return Call(out);
  ++at_;
  Node node = Made(NodeKind::kField, token.position);
  node.name = token.name;
  if (!AddOperand(node, {}, out)) return false;
  out->bare = token.kind == TokenKind::kName;
  return true;
}

bool Parser::FirstStar(Operand* out) {
  return AddOperand(Made(NodeKind::kCurrent, Peek().position), {}, out) && ObjectEach(out);
}

bool Parser::FirstNot(Operand* out) {
  const uint32_t position = Peek().position;
  ++at_;
  NodeId child = 0;
  return Whole(kBindsNot, &child) && AddOperand(Made(NodeKind::kNot, position), {child}, out);
}

bool Parser::FirstParen(Operand* out) {
  out->position = Peek().position;
  ++at_;
  return Whole(kBindsNothing, &out->node) && Expect(TokenKind::kCloseParen, ")");
}

bool Parser::FirstBracket(Operand* out) {
  const TokenKind next = Peek(1).kind;
  const bool each = next == TokenKind::kStar && Peek(2).kind == TokenKind::kCloseBracket;
  if (next != TokenKind::kNumber && next != TokenKind::kColon && !each) return MultiList(out);
  if (each) {
    return AddOperand(Made(NodeKind::kCurrent, Peek().position), {}, out) && MoreBracket(out);
  }
  out->growing = NodeKind::kChain;  // of no parts: the index or slice is on the current value
  out->position = Peek().position;
  return IndexOrSlice(out);
}

bool Parser::More(Operand* left) {
  switch (Peek().kind) {
    case TokenKind::kDot:
      return MoreDot(left);
    case TokenKind::kOpenBracket:
      return MoreBracket(left);
    case TokenKind::kOpenFilter:
      return Filter(left);
    case TokenKind::kFlatten:
      return Flatten(left);
    case TokenKind::kPipe:
      return MoreParts(NodeKind::kPipe, kBindsPipe, left);
    case TokenKind::kOr:
      return MoreParts(NodeKind::kOr, kBindsOr, left);
    case TokenKind::kAnd:
      return MoreParts(NodeKind::kAnd, kBindsAnd, left);
    default:
      return MoreCompare(left);
  }
}

bool Parser::MoreDot(Operand* left) {
  ++at_;
  if (Is(TokenKind::kStar)) return ObjectEach(left);
  NodeId first = 0;
  Operand right;
  if (left->growing != NodeKind::kChain && !Finish(*left, &first)) return false;
  if (!AfterDot(&right)) return false;
  Grow(NodeKind::kChain, right.node, first, left);
  return true;
}

// A name, a function call or a multi-select: a whole node.
bool Parser::AfterDot(Operand* out) {
  switch (Peek().kind) {
    case TokenKind::kName:
    case TokenKind::kQuotedName:
      return FirstName(out);
    case TokenKind::kOpenBracket:
      return MultiList(out);
    case TokenKind::kOpenBrace:
      return MultiHash(out);
    default:
      return Unexpected();
  }
}

bool Parser::MoreBracket(Operand* left) {
  if (Peek(1).kind != TokenKind::kStar) return IndexOrSlice(left);
  at_ += 2;
  return Expect(TokenKind::kCloseBracket, "]") && ListEach(left, kBindsStar);
}

// `[1]`, `[1:2]`: after the parts that `left` has.
bool Parser::IndexOrSlice(Operand* left) {
  const uint32_t position = Peek().position;
  ++at_;
  const bool slice = Is(TokenKind::kColon) || Peek(1).kind == TokenKind::kColon;
  Node node = Made(slice ? NodeKind::kSlice : NodeKind::kIndex, position);
  if (slice) {
    if (!SliceParts(&node)) return false;
  } else {
    node.start = Peek().number;
    if (!Expect(TokenKind::kNumber, "an index, a slice or *")) return false;
  }
  if (!Expect(TokenKind::kCloseBracket, "]")) return false;
  NodeId first = 0;
  if (left->growing != NodeKind::kChain && !Finish(*left, &first)) return false;
  const NodeId id = Add(node, {});
  if (left->growing == NodeKind::kChain && left->parts.empty()) {
    left->growing.reset();
    left->node = id;
  } else {
    Grow(NodeKind::kChain, id, first, left);
  }
  return !slice || ListEach(left, kBindsStar);
}

bool Parser::SliceParts(Node* slice) {
  const auto number = [this](int64_t* out) {
    if (!Is(TokenKind::kNumber)) return false;
    *out = Peek().number;
    ++at_;
    return true;
  };
  slice->has_start = number(&slice->start);
  if (!Expect(TokenKind::kColon, ":")) return false;
  slice->has_stop = number(&slice->stop);
  if (Take(TokenKind::kColon)) number(&slice->step);
  return true;
}

bool Parser::MoreParts(NodeKind kind, int binding, Operand* left) {
  ++at_;
  NodeId first = 0;
  NodeId part = 0;
  if (left->growing != kind && !Finish(*left, &first)) return false;
  if (!Whole(binding, &part)) return false;
  Grow(kind, part, first, left);
  return true;
}

// J2: a bare true, false or null that is the whole operand is the literal.
bool Parser::CompareSide(Operand* side, NodeId* out) {
  if (!Finish(*side, out)) return false;
  if (dialect_ != Dialect::kPolicy || !side->bare) return true;
  Node& node = tree_.nodes[*out];
  if (const auto literal = BareWord(node.name)) {
    node.kind = NodeKind::kLiteral;
    node.literal = *literal;
    node.name = {};
  }
  return true;
}

bool Parser::MoreCompare(Operand* left) {
  const Token& token = Peek();
  ++at_;
  Operand right;
  NodeId sides[2] = {};
  if (!CompareSide(left, &sides[0])) return false;
  if (!Expression(kBindsCompare, &right) || !CompareSide(&right, &sides[1])) return false;
  Node node = Made(NodeKind::kCompare, token.position);
  node.comparator = ComparatorOf(token.kind);
  const auto is_current = [this](NodeId id) { return tree_.at(id).kind == NodeKind::kCurrent; };
  const auto is_null = [this](NodeId id) {
    return tree_.at(id).kind == NodeKind::kLiteral && tree_.at(id).literal.is_null();
  };
  node.empty_is_null =
      dialect_ == Dialect::kPolicy &&
      (node.comparator == Comparator::kEqual || node.comparator == Comparator::kNotEqual) &&
      ((is_current(sides[0]) && is_null(sides[1])) || (is_null(sides[0]) && is_current(sides[1])));
  return AddOperand(node, sides, left);
}

bool Parser::Flatten(Operand* left) {
  const uint32_t position = Peek().position;
  ++at_;
  NodeId child = 0;
  return Finish(*left, &child) && AddOperand(Made(NodeKind::kFlatten, position), {child}, left) &&
         ListEach(left, kBindsFlatten);
}

bool Parser::Filter(Operand* left) {
  const uint32_t position = Peek().position;
  ++at_;
  NodeId parts[3] = {};
  return Finish(*left, &parts[0]) && Whole(kBindsNothing, &parts[1]) &&
         Expect(TokenKind::kCloseBracket, "]") && RightSide(kBindsFilter, &parts[2]) &&
         AddOperand(Made(NodeKind::kFilter, position), parts, left);
}

bool Parser::ListEach(Operand* left, int binding) {
  NodeId parts[2] = {};
  return Finish(*left, &parts[0]) && RightSide(binding, &parts[1]) &&
         AddOperand(Made(NodeKind::kListEach, left->position), parts, left);
}

// At the star.
bool Parser::ObjectEach(Operand* left) {
  const uint32_t position = Peek().position;
  ++at_;
  NodeId parts[2] = {};
  return Finish(*left, &parts[0]) && RightSide(kBindsStar, &parts[1]) &&
         AddOperand(Made(NodeKind::kObjectEach, position), parts, left);
}

// What a projection does with each element, up to a token that ends it.
bool Parser::RightSide(int binding, NodeId* out) {
  const TokenKind kind = Peek().kind;
  const bool star = kind == TokenKind::kStar || kind == TokenKind::kNot ||
                    kind == TokenKind::kOpenBrace || kind == TokenKind::kOpenParen;
  if (star) return Unexpected();
  if (Binding(kind) < kEndsProjection) {
    *out = Add(Made(NodeKind::kCurrent, Peek().position), {});
    return true;
  }
  if (kind == TokenKind::kOpenBracket) {
    const TokenKind next = Peek(1).kind;
    if (next != TokenKind::kNumber && next != TokenKind::kColon && next != TokenKind::kStar) {
      return Wrong(Peek(1), "expected an index, a slice or *");
    }
  }
  if (kind != TokenKind::kDot) return Whole(binding, out);
  ++at_;
  if (Is(TokenKind::kStar)) return Whole(binding, out);
  if (++nesting_ > kMaxNesting) return Wrong(Peek(), "nested too deeply");
  Operand operand;
  if (!AfterDot(&operand)) return false;
  while (Binding(Peek().kind) > binding) {
    if (!More(&operand)) return false;
  }
  --nesting_;
  return Finish(operand, out);
}

bool Parser::MultiList(Operand* out) {
  const uint32_t position = Peek().position;
  ++at_;
  std::vector<NodeId> parts;
  do {
    if (!Whole(kBindsNothing, &parts.emplace_back())) return false;
  } while (Take(TokenKind::kComma));
  return Expect(TokenKind::kCloseBracket, ", or ]") &&
         AddOperand(Made(NodeKind::kMultiList, position), parts, out);
}

// Of members with the same name the last counts, at the place of the first.
bool Parser::HashMember(std::vector<absl::string_view>* names, std::vector<NodeId>* values) {
  const Token& name = Peek();
  if (!Is(TokenKind::kName) && !Is(TokenKind::kQuotedName)) return Wrong(name, "expected a name");
  ++at_;
  NodeId value = 0;
  if (!Expect(TokenKind::kColon, ":") || !Whole(kBindsNothing, &value)) return false;
  const auto same = std::find(names->begin(), names->end(), name.name);
  if (same != names->end()) {
    (*values)[static_cast<size_t>(same - names->begin())] = value;
    return true;
  }
  names->push_back(name.name);
  values->push_back(value);
  return names->size() <= kMaxHashMembers || Wrong(name, "too many members");
}

bool Parser::MultiHash(Operand* out) {
  Node node = Made(NodeKind::kMultiHash, Peek().position);
  ++at_;
  std::vector<absl::string_view> names;
  std::vector<NodeId> values;
  do {
    if (!HashMember(&names, &values)) return false;
  } while (Take(TokenKind::kComma));
  if (!Expect(TokenKind::kCloseBrace, ", or }")) return false;
  const absl::Span<absl::string_view> kept = arena_.NewArray<absl::string_view>(names.size());
  if (arena_.exhausted()) return Wrong(Peek(), "the query is too large");
  std::copy(names.begin(), names.end(), kept.begin());
  node.names = kept;
  return AddOperand(node, values, out);
}

// `&expression` can be an argument and nothing else.
bool Parser::Argument(NodeId* out) {
  const uint32_t position = Peek().position;
  if (!Take(TokenKind::kAmpersand)) return Whole(kBindsNothing, out);
  NodeId child = 0;
  Operand operand;
  if (!Whole(kBindsNothing, &child)) return false;
  if (!AddOperand(Made(NodeKind::kExpression, position), {child}, &operand)) return false;
  *out = operand.node;
  return true;
}

bool Parser::CheckCall(const Token& name, const Function* function, size_t count) {
  if (function == nullptr) {
    error_ = {ErrorKind::kUnknownFunction, name.position,
              absl::StrCat("there is no function ", name.name)};
    return false;
  }
  const size_t needed = function->parameters.size();
  if (count == needed || (function->variadic && count > needed)) return true;
  error_ = {ErrorKind::kInvalidArity, name.position,
            absl::StrCat(function->name, " takes ", needed, function->variadic ? " or more" : "",
                         needed == 1 ? " argument" : " arguments", ", here are ", count)};
  return false;
}

bool Parser::Call(Operand* out) {
  const Token& name = Peek();
  if (name.kind != TokenKind::kName) return Wrong(name, "a function's name is not quoted");
  at_ += 2;
  std::vector<NodeId> arguments;
  if (!Is(TokenKind::kCloseParen)) {
    do {
      if (!Argument(&arguments.emplace_back())) return false;
    } while (Take(TokenKind::kComma));
  }
  if (!Expect(TokenKind::kCloseParen, ", or )")) return false;
  Node node = Made(NodeKind::kCall, name.position);
  node.function = FindFunction(name.name, dialect_);
  return CheckCall(name, node.function, arguments.size()) && AddOperand(node, arguments, out);
}

std::variant<Tree, Error> Parser::Run() {
  NodeId root = 0;
  if (!Whole(kBindsNothing, &root)) return error_;
  if (!Is(TokenKind::kEnd)) {
    Unexpected();
    return error_;
  }
  tree_.root = root;
  return std::move(tree_);
}

}  // namespace

std::variant<Tree, Error> ParseQuery(absl::string_view text, Dialect dialect, json::Arena& arena) {
  if (text.size() > kMaxQueryBytes) {
    return Error{ErrorKind::kSyntax, kMaxQueryBytes, "the query is too long"};
  }
  std::vector<Token> tokens;
  if (auto error = Tokenize(text, arena, &tokens)) return *std::move(error);
  return Parser(dialect, arena, std::move(tokens)).Run();
}

}  // namespace bootgate::gatekeeper::policy::jmespath
