// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

package tables

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/utils/clock"
)

// Priorities of columns.
const (
	// always is shown by kubectl get.
	always = 0
	// wide is shown by kubectl get -o wide alone.
	wide = 1
)

// A row is an object with the time at which it is shown.
type row[T any] struct {
	object *T
	at     moment
}

// A column is a definition and what fills its cells.
type column[T any] struct {
	definition metav1.TableColumnDefinition
	cell       func(row[T]) any
}

func text[T any](name string, priority int32, description string, cell func(row[T]) string) column[T] {
	return column[T]{
		definition: metav1.TableColumnDefinition{Name: name, Type: "string", Priority: priority, Description: description},
		cell:       func(r row[T]) any { return orNone(cell(r)) },
	}
}

func number[T any](name string, priority int32, description string, cell func(row[T]) int64) column[T] {
	return column[T]{
		definition: metav1.TableColumnDefinition{Name: name, Type: "integer", Priority: priority, Description: description},
		cell:       func(r row[T]) any { return cell(r) },
	}
}

// A convertor makes tables of objects of type T and of their lists.
type convertor[T any, P interface {
	*T
	metav1.Object
	runtime.Object
}] struct {
	clock   clock.PassiveClock
	columns []column[T]
	// items returns those of a list, and whether it is one.
	items func(runtime.Object) ([]T, bool)
	// others makes tables of everything else, or refuses to.
	others rest.TableConvertor
}

func newConvertor[T any, P interface {
	*T
	metav1.Object
	runtime.Object
}](resource schema.GroupResource, clk clock.PassiveClock, items func(runtime.Object) ([]T, bool), columns []column[T]) *convertor[T, P] {
	name := column[T]{
		definition: metav1.TableColumnDefinition{Name: "Name", Type: "string", Format: "name", Description: "Name of the object, unique in its namespace."},
		cell:       func(r row[T]) any { return P(r.object).GetName() },
	}
	return &convertor[T, P]{
		clock:   clk,
		columns: append([]column[T]{name}, columns...),
		items:   items,
		others:  rest.NewDefaultTableConvertor(resource),
	}
}

// age is the column that kubectl users look for.
func age[T any, P interface {
	*T
	metav1.Object
}]() column[T] {
	return text("Age", always, "Time since the object was created.", func(r row[T]) string {
		created := P(r.object).GetCreationTimestamp()
		return r.at.since(&created)
	})
}

// ConvertToTable returns an object or a list as a table. Objects of other kinds are left to
// the API server's default, which refuses what has no metadata.
func (c *convertor[T, P]) ConvertToTable(ctx context.Context, object, options runtime.Object) (*metav1.Table, error) {
	table := &metav1.Table{}
	now := moment(c.clock.Now())
	if single, ok := object.(P); ok {
		table.Rows = []metav1.TableRow{c.row(single, now)}
		table.ResourceVersion = single.GetResourceVersion()
	} else if items, ok := c.items(object); ok {
		table.Rows = make([]metav1.TableRow, len(items))
		for i := range items {
			table.Rows[i] = c.row(P(&items[i]), now)
		}
		if list, err := meta.ListAccessor(object); err == nil {
			table.ResourceVersion = list.GetResourceVersion()
			table.Continue = list.GetContinue()
			table.RemainingItemCount = list.GetRemainingItemCount()
		}
	} else {
		return c.others.ConvertToTable(ctx, object, options)
	}
	if o, ok := options.(*metav1.TableOptions); !ok || o == nil || !o.NoHeaders {
		for _, column := range c.columns {
			table.ColumnDefinitions = append(table.ColumnDefinitions, column.definition)
		}
	}
	return table, nil
}

func (c *convertor[T, P]) row(object P, now moment) metav1.TableRow {
	cells := make([]any, len(c.columns))
	for i, column := range c.columns {
		cells[i] = column.cell(row[T]{object, now})
	}
	return metav1.TableRow{Cells: cells, Object: runtime.RawExtension{Object: object}}
}
